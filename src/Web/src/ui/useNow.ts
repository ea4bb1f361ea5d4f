import { useSyncExternalStore } from 'react';

/** One timer for everybody who shows time passing; it runs only while somebody does. */
function ticker(everyMs: number) {
  const listeners = new Set<() => void>();
  let timer: ReturnType<typeof setInterval> | null = null;
  let now = Date.now();
  const tick = () => {
    now = Date.now();
    for (const listener of listeners) listener();
  };
  return {
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      timer ??= setInterval(tick, everyMs);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && timer !== null) {
          clearInterval(timer);
          timer = null;
        }
      };
    },
    read: () => {
      const fresh = Date.now();
      if (fresh - now >= everyMs) now = fresh;
      return now;
    },
  };
}

const seconds = ticker(1000);
const halfMinutes = ticker(30_000);

/** The time, new every second or every half minute. */
export function useNow(every: 'second' | 'halfMinute'): number {
  const source = every === 'second' ? seconds : halfMinutes;
  return useSyncExternalStore(source.subscribe, source.read);
}
