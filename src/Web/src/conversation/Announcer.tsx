import { useEffect, useRef, useState } from 'react';
import type { ConnectionStatus } from '../live/connection';
import type { Conversation } from './model';

/** Tells a screen reader what happens, one sentence per change and never word by word. */
export function Announcer({ conversation, connection }: { conversation: Conversation; connection: ConnectionStatus }) {
  const [said, setSaid] = useState('');
  const before = useRef({ conversation, connection });
  useEffect(() => {
    const sentence = announcement(before.current.conversation, conversation, before.current.connection, connection);
    before.current = { conversation, connection };
    if (sentence) setSaid(sentence);
  }, [conversation, connection]);
  return <div className="visually-hidden" role="status" aria-live="polite">{said}</div>;
}

export function announcement(was: Conversation, is: Conversation, wasConnection: ConnectionStatus, connection: ConnectionStatus): string | null {
  if (is.openPermissions.length > was.openPermissions.length) return 'The agent asks for your permission.';
  if (was.active !== is.active) {
    const ended = was.active === null ? undefined : is.turns.get(was.active);
    if (ended?.status === 'completed') return 'The agent has finished.';
    if (ended?.status === 'failed') return `The message failed. ${ended.failure?.detail ?? ''}`;
    if (ended?.status === 'cancelled') return 'The message was stopped.';
    if (is.active !== null) return 'The agent works on your message.';
  }
  if (was.sandbox.status !== is.sandbox.status && is.sandbox.status === 'ready') return 'The sandbox is ready.';
  if (wasConnection.kind !== connection.kind) {
    if (connection.kind === 'offline') return 'You are offline.';
    if (connection.kind === 'reconnecting') return 'The connection was lost.';
    if (connection.kind === 'live' && wasConnection.kind === 'reconnecting') return 'The connection is back.';
  }
  return null;
}
