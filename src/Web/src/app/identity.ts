import { useSyncExternalStore } from 'react';
import { api } from '../api/api';
import { onUnauthorized } from '../api/http';
import { chooseOrganization, chosenOrganization } from '../api/organization';
import type { ApiProblem } from '../api/problem';
import { asProblem } from '../api/problem';
import type { Me } from '../api/wire';
import { sessionList } from '../sessions/sessionList';
import { resetCatalog } from './catalog';

/** Who uses this page, as far as the host has said. */
export type Identity =
  | { readonly kind: 'asking' }
  | { readonly kind: 'signedIn'; readonly me: Me }
  | { readonly kind: 'signedOut' }
  | { readonly kind: 'unknown'; readonly problem: ApiProblem };

let identity: Identity = { kind: 'asking' };
const listeners = new Set<() => void>();

function set(next: Identity): void {
  identity = next;
  for (const listener of listeners) listener();
}

export async function askIdentity(): Promise<void> {
  if (identity.kind !== 'signedIn') set({ kind: 'asking' });
  try {
    set({ kind: 'signedIn', me: await readMe() });
  } catch (error) {
    const problem = asProblem(error);
    set(problem.status === 401 ? { kind: 'signedOut' } : { kind: 'unknown', problem });
  }
}

/**
 * Who this is. In several organizations, or no more in the one they last chose, a person is taken to their first. From then on
 * the page names the one it shows: somebody may take the person into a second one while it is open.
 */
async function readMe(): Promise<Me> {
  const me = await askMe();
  if (chosenOrganization() === null) chooseOrganization(me.organization.id);
  return me;
}

async function askMe(): Promise<Me> {
  try {
    return await api.me();
  } catch (error) {
    const { code } = asProblem(error);
    if (code !== 'organization_required' && code !== 'organization_not_found') throw error;
    const first = (await api.organizations())[0]?.id ?? null;
    if (first === chosenOrganization()) throw error;
    chooseOrganization(first);
    return api.me();
  }
}

/** Ends what this page knows of a person; their drafts stay in their browser. */
export function forgetIdentity(): void {
  sessionList.reset();
  resetCatalog();
  chooseOrganization(null);
  set({ kind: 'signedOut' });
}

export function useIdentity(): Identity {
  return useSyncExternalStore((listener) => { listeners.add(listener); return () => listeners.delete(listener); }, () => identity);
}

onUnauthorized(forgetIdentity);
