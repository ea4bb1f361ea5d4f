import { useSyncExternalStore } from 'react';
import { asProblem } from '../api/problem';
import { IconButton } from './Button';

interface Toast {
  readonly id: number;
  readonly text: string;
}

let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Says for a while that something a person did had no effect, and why. */
export function showProblem(error: unknown): void {
  last += 1;
  const toast = { id: last, text: asProblem(error).detail };
  change([...toasts.slice(-2), toast]);
  setTimeout(() => dismiss(toast.id), 8000);
}

function dismiss(id: number): void {
  change(toasts.filter((toast) => toast.id !== id));
}

export function Toasts() {
  const shown = useSyncExternalStore((listener) => { listeners.add(listener); return () => listeners.delete(listener); }, () => toasts);
  return (
    <div className="toasts" role="alert">
      {shown.map((toast) => (
        <div key={toast.id} className="toast">
          <span>{toast.text}</span>
          <IconButton icon="cross" label="Dismiss" onClick={() => dismiss(toast.id)} />
        </div>
      ))}
    </div>
  );
}
