import { useSyncExternalStore } from 'react';
import { api } from '../api/api';
import type { ApiProblem } from '../api/problem';
import { asProblem } from '../api/problem';
import type { SessionView } from '../api/wire';

export interface SessionListState {
  readonly items: readonly SessionView[];
  readonly nextCursor: string | null;
  readonly state: 'loading' | 'loaded' | 'failed';
  readonly loadingMore: boolean;
  readonly problem: ApiProblem | null;
}

const nothing: SessionListState = { items: [], nextCursor: null, state: 'loading', loadingMore: false, problem: null };

/** The sessions of the organization, as far as they were paged in; kept fresh by whoever hears of one. */
class SessionList {
  private current = nothing;
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): SessionListState => this.current;

  reset(): void {
    this.set(nothing);
  }

  /** Reads the first page again; what was paged in behind it stays. */
  async refresh(): Promise<void> {
    try {
      const page = await api.sessions(null);
      const fresh = new Set(page.items.map((item) => item.id));
      const rest = this.current.items.filter((item) => !fresh.has(item.id));
      const paged = this.current.items.length > page.items.length;
      this.set({
        items: paged ? [...page.items, ...rest] : page.items,
        nextCursor: paged && this.current.state === 'loaded' ? this.current.nextCursor : page.nextCursor,
        state: 'loaded', problem: null, loadingMore: this.current.loadingMore,
      });
    } catch (error) {
      this.set({ ...this.current, state: this.current.state === 'loaded' ? 'loaded' : 'failed', problem: asProblem(error) });
    }
  }

  async loadMore(): Promise<void> {
    if (this.current.loadingMore || this.current.nextCursor === null) return;
    this.set({ ...this.current, loadingMore: true, problem: null });
    try {
      const page = await api.sessions(this.current.nextCursor);
      const known = new Set(this.current.items.map((item) => item.id));
      const items = [...this.current.items, ...page.items.filter((item) => !known.has(item.id))];
      this.set({ ...this.current, items, nextCursor: page.nextCursor, loadingMore: false });
    } catch (error) {
      this.set({ ...this.current, loadingMore: false, problem: asProblem(error) });
    }
  }

  /** Takes what was heard of one session. */
  put(view: SessionView): void {
    const known = this.current.items.some((item) => item.id === view.id);
    const items = known ? this.current.items.map((item) => (item.id === view.id ? view : item)) : [view, ...this.current.items];
    this.set({ ...this.current, items });
  }

  private set(next: SessionListState): void {
    this.current = next;
    for (const listener of this.listeners) listener();
  }
}

export const sessionList = new SessionList();

export function useSessionList(): SessionListState {
  return useSyncExternalStore(sessionList.subscribe, sessionList.snapshot);
}
