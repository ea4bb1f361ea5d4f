import { useSyncExternalStore } from 'react';

export type Route =
  | { readonly name: 'home' }
  | { readonly name: 'new' }
  | { readonly name: 'session'; readonly id: string }
  | { readonly name: 'settings' }
  | { readonly name: 'signIn' }
  | { readonly name: 'unknown' };

export const paths = {
  home: '/',
  new: '/new',
  settings: '/settings',
  signIn: '/sign-in',
  session: (id: string) => `/sessions/${encodeURIComponent(id)}`,
};

const moved = 'coordinator:moved';

/** Goes to a page of this app. */
export function navigate(path: string, options: { readonly replace?: boolean } = {}): void {
  if (options.replace) history.replaceState(null, '', path);
  else history.pushState(null, '', path);
  window.dispatchEvent(new Event(moved));
}

export function useRoute(): Route {
  return routeOf(useSyncExternalStore(subscribe, () => location.pathname));
}

export function routeOf(path: string): Route {
  const parts = path.split('/').filter(Boolean);
  const [first, second] = parts;
  if (parts.length === 0) return { name: 'home' };
  if (parts.length === 1 && first === 'new') return { name: 'new' };
  if (parts.length === 1 && first === 'settings') return { name: 'settings' };
  if (parts.length === 1 && first === 'sign-in') return { name: 'signIn' };
  if (parts.length === 1 && first === 'sessions') return { name: 'home' };
  if (parts.length === 2 && first === 'sessions' && second) return { name: 'session', id: decodeURIComponent(second) };
  return { name: 'unknown' };
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  window.addEventListener(moved, listener);
  return () => {
    window.removeEventListener('popstate', listener);
    window.removeEventListener(moved, listener);
  };
}
