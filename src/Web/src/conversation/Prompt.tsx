import { useState } from 'react';
import { api } from '../api/api';
import { useSessionStore } from '../live/useSession';
import { Button } from '../ui/Button';
import { dateTime } from '../ui/format';
import { showProblem } from '../ui/toasts';
import { MessageEditor } from './MessageEditor';
import type { Turn } from './model';

const longAt = 1200;

/** What the person asked. While it waits for its sandbox it can still be changed or taken back. */
export function Prompt({ turn }: { turn: Turn }) {
  const store = useSessionStore();
  const [editing, setEditing] = useState(false);
  const [whole, setWhole] = useState(false);
  const long = turn.text.length > longAt || turn.text.split('\n', 17).length > 16;
  if (editing) return <div className="prompt prompt-editing"><MessageEditor turn={turn} onDone={() => setEditing(false)} onSend={(text) => store.prompt(text)} /></div>;
  return (
    <div className="prompt">
      <div className={long && !whole ? 'prompt-text prompt-cut' : 'prompt-text'}>{turn.text}</div>
      {long && <button type="button" className="text-button" aria-expanded={whole} onClick={() => setWhole(!whole)}>{whole ? 'Show less' : 'Show all'}</button>}
      <div className="prompt-about">
        {turn.retryOf && <span>Retry ·</span>}
        {turn.by && <span>{turn.by.displayName} ·</span>}
        <time dateTime={turn.queuedAt}>{dateTime(turn.queuedAt)}</time>
      </div>
      {turn.status === 'queued' && <WaitingActions turn={turn} onEdit={() => setEditing(true)} />}
    </div>
  );
}

function WaitingActions({ turn, onEdit }: { turn: Turn; onEdit: () => void }) {
  const store = useSessionStore();
  const [busy, setBusy] = useState(false);
  const cancel = async () => {
    setBusy(true);
    try {
      await api.cancelMessage(store.id, turn.id);
    } catch (error) {
      showProblem(error);
      setBusy(false);
    }
  };
  return (
    <div className="prompt-actions">
      <Button size="small" kind="quiet" icon="edit" onClick={onEdit}>Edit</Button>
      <Button size="small" kind="quiet" icon="cross" busy={busy} onClick={() => void cancel()}>Cancel</Button>
    </div>
  );
}
