import { useSyncExternalStore } from 'react';
import { readLocal, writeLocal } from '../live/storage';

export type Theme = 'system' | 'light' | 'dark';

const key = 'coordinator.theme';
const listeners = new Set<() => void>();

function read(): Theme {
  const theme = readLocal(key);
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

/** Chooses the theme for this browser; public/theme.js applies it before the next first paint. */
export function setTheme(theme: Theme): void {
  writeLocal(key, theme === 'system' ? null : theme);
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  for (const listener of listeners) listener();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => { listeners.add(listener); return () => listeners.delete(listener); }, read);
}
