import { useEffect, useSyncExternalStore } from 'react';
import { api } from '../api/api';
import type { ApiProblem } from '../api/problem';
import { asProblem } from '../api/problem';
import type { Model, Provider } from '../api/wire';

/** Providers and models as this organization has them. */
export interface Catalog {
  readonly providers: readonly Provider[];
  readonly models: readonly Model[];
  readonly state: 'loading' | 'loaded' | 'failed';
  readonly problem: ApiProblem | null;
}

let catalog: Catalog = { providers: [], models: [], state: 'loading', problem: null };
let asked = false;
const listeners = new Set<() => void>();

function set(next: Catalog): void {
  catalog = next;
  for (const listener of listeners) listener();
}

/** Reads the catalog again, for example after a key was set. */
export async function refreshCatalog(): Promise<void> {
  asked = true;
  try {
    const [providers, models] = await Promise.all([api.providers(), api.models()]);
    set({ providers, models, state: 'loaded', problem: null });
  } catch (error) {
    set({ ...catalog, state: catalog.state === 'loaded' ? 'loaded' : 'failed', problem: asProblem(error) });
  }
}

/** Forgets what the last person could see. */
export function resetCatalog(): void {
  asked = false;
  set({ providers: [], models: [], state: 'loading', problem: null });
}

export function useCatalog(): Catalog {
  useEffect(() => {
    if (!asked) void refreshCatalog();
  }, []);
  return useSyncExternalStore((listener) => { listeners.add(listener); return () => listeners.delete(listener); }, () => catalog);
}

export interface ModelName {
  readonly label: string;
  readonly isDemo: boolean;
}

/** How a model is called on the page, and whether it is the demo. */
export function modelName(from: Catalog, model: string): ModelName {
  const provider = model.split('/')[0] ?? '';
  const entry = from.models.find((candidate) => candidate.model === model);
  const isDemo = entry?.isDemo ?? from.providers.find((candidate) => candidate.name === provider)?.isDemo ?? provider === 'demo';
  return { label: entry?.displayName ?? model.slice(provider.length + 1), isDemo };
}
