import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { forgetIdentity } from '../app/identity';
import { sessionList } from '../sessions/sessionList';
import { BrowserSocket } from './browserSocket';
import { systemClock } from './clock';
import type { SessionSnapshot } from './sessionStore';
import { SessionStore } from './sessionStore';
import { readLocal, writeLocal } from './storage';

/** Follows a session for as long as the page shows it. */
export function useSession(id: string): { store: SessionStore; snapshot: SessionSnapshot } {
  const [store] = useState(() => browserStore(id));
  const snapshot = useSyncExternalStore(store.subscribe, store.snapshot);
  useEffect(() => {
    const network = () => store.setOnline(navigator.onLine);
    const seen = () => { if (document.visibilityState === 'visible') store.hurry(); };
    network();
    void store.start();
    window.addEventListener('online', network);
    window.addEventListener('offline', network);
    document.addEventListener('visibilitychange', seen);
    return () => {
      window.removeEventListener('online', network);
      window.removeEventListener('offline', network);
      document.removeEventListener('visibilitychange', seen);
      store.stop();
    };
  }, [store]);
  return { store, snapshot };
}

/** The session that the parts of a conversation belong to. */
export const SessionContext = createContext<SessionStore | null>(null);

export function useSessionStore(): SessionStore {
  const store = useContext(SessionContext);
  if (!store) throw new Error('This part of the page needs a session around it.');
  return store;
}

function browserStore(id: string): SessionStore {
  const key = `coordinator.outbox.${id}`;
  return new SessionStore(id, {
    openSocket: (session) => new BrowserSocket(session),
    clock: systemClock,
    storage: { read: () => readLocal(key), write: (text) => writeLocal(key, text) },
    nextFrame,
    onUnauthorized: forgetIdentity,
    onView: (view) => sessionList.put(view),
  });
}

/** A hidden page paints no frames, so a timer stands in. */
function nextFrame(action: () => void): () => void {
  const cancel = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
  const run = () => {
    cancel();
    action();
  };
  const frame = requestAnimationFrame(run);
  const timer = setTimeout(run, 250);
  return cancel;
}
