import type { SessionView } from '../api/wire';

export interface Activity {
  readonly kind: 'working' | 'asking' | 'starting' | 'waiting' | 'failed' | 'idle' | 'new' | 'archived';
  readonly label: string;
}

/** What a session is about right now, in the one word that matters most to its owner. */
export function activityOf(session: SessionView): Activity {
  if (session.status === 'archived') return { kind: 'archived', label: 'Archived' };
  if (session.permissionsOpen.length > 0) return { kind: 'asking', label: 'Needs your permission' };
  if (session.messages.some((message) => message.status === 'running' || message.status === 'dispatched')) return { kind: 'working', label: 'Working' };
  if (session.messages.some((message) => message.status === 'queued')) {
    const boots = session.sandbox.status === 'requested' || session.sandbox.status === 'booting';
    return boots ? { kind: 'starting', label: 'Starting its sandbox' } : { kind: 'waiting', label: 'Waiting to run' };
  }
  const last = session.messages.at(-1);
  if (!last) return { kind: 'new', label: 'Nothing asked yet' };
  return last.status === 'failed' ? { kind: 'failed', label: 'The last message failed' } : { kind: 'idle', label: 'Idle' };
}
