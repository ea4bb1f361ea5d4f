import { useState } from 'react';
import { api } from '../api/api';
import { useSessionStore } from '../live/useSession';
import { IconButton } from '../ui/Button';
import { showProblem } from '../ui/toasts';
import { MessageEditor } from './MessageEditor';
import type { Conversation, Turn } from './model';

/** The messages that wait behind the one at hand, in the order in which they will run. */
export function QueuePanel({ conversation, onSend }: { conversation: Conversation; onSend: (text: string) => void }) {
  const [editing, setEditing] = useState<string | null>(null);
  const shown = waitingOf(conversation, editing);
  if (shown.length === 0) return null;
  return (
    <section className="queue" aria-label="Waiting messages">
      <h2>{shown.length === 1 ? '1 message waits' : `${shown.length} messages wait`}</h2>
      <ol>
        {shown.map((turn) => (
          <li key={turn.id} className="queue-row">
            {editing === turn.id
              ? <MessageEditor turn={turn} onDone={() => setEditing(null)} onSend={onSend} />
              : <QueueRow turn={turn} queue={conversation.queue} onEdit={() => setEditing(turn.id)} />}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** The first of the queue stands in the conversation when nothing runs. A message being edited stays where its editor is. */
export function waitingOf(conversation: Conversation, editing: string | null): readonly Turn[] {
  const ids = conversation.queue.filter((id, index) => id === editing || conversation.active !== null || index > 0);
  const all = editing !== null && !ids.includes(editing) ? [editing, ...ids] : ids;
  return all.flatMap((id) => conversation.turns.get(id) ?? []);
}

function QueueRow({ turn, queue, onEdit }: { turn: Turn; queue: readonly string[]; onEdit: () => void }) {
  const store = useSessionStore();
  const [busy, setBusy] = useState(false);
  const place = queue.indexOf(turn.id);
  const attempt = async (action: () => Promise<void>) => {
    setBusy(true);
    try {
      await action();
    } catch (error) {
      showProblem(error);
    } finally {
      setBusy(false);
    }
  };
  const moveBefore = (before: string | null) => void attempt(() => api.moveMessage(store.id, turn.id, before));
  return (
    <>
      <span className="queue-text">{turn.text}</span>
      <span className="queue-actions">
        <IconButton icon="up" label="Move up" disabled={busy || place <= 0} onClick={() => moveBefore(queue[place - 1] ?? null)} />
        <IconButton icon="down" label="Move down" disabled={busy || place >= queue.length - 1} onClick={() => moveBefore(queue[place + 2] ?? null)} />
        <IconButton icon="edit" label="Edit" disabled={busy} onClick={onEdit} />
        <IconButton icon="cross" label="Cancel this message" disabled={busy} onClick={() => void attempt(() => api.cancelMessage(store.id, turn.id))} />
      </span>
    </>
  );
}
