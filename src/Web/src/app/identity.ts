import { useSyncExternalStore } from 'react';
import { api } from '../api/api';
import { onUnauthorized } from '../api/http';
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
    set({ kind: 'signedIn', me: await api.me() });
  } catch (error) {
    const problem = asProblem(error);
    set(problem.status === 401 ? { kind: 'signedOut' } : { kind: 'unknown', problem });
  }
}

/** Ends what this page knows of a person; their drafts stay in their browser. */
export function forgetIdentity(): void {
  sessionList.reset();
  resetCatalog();
  set({ kind: 'signedOut' });
}

export function useIdentity(): Identity {
  return useSyncExternalStore((listener) => { listeners.add(listener); return () => listeners.delete(listener); }, () => identity);
}

onUnauthorized(forgetIdentity);
