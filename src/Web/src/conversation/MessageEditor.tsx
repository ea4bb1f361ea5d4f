import type { KeyboardEvent } from 'react';
import { useState } from 'react';
import { api } from '../api/api';
import { asProblem } from '../api/problem';
import { useSessionStore } from '../live/useSession';
import { Button } from '../ui/Button';
import { bytes } from '../ui/format';
import type { Turn } from './model';
import { promptBytes, promptLimit } from './promptLimit';

interface MessageEditorProps {
  readonly turn: Turn;
  readonly onDone: () => void;
  readonly onSend: (text: string) => void;
}

/** Edits a message that waits. If it begins meanwhile, nothing that was written is lost: it can go as a message of its own. */
export function MessageEditor({ turn, onDone, onSend }: MessageEditorProps) {
  const store = useSessionStore();
  const [text, setText] = useState(turn.text);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const begun = turn.status !== 'queued';
  const tooLong = promptBytes(text) > promptLimit;

  const save = async () => {
    if (text.trim() === '' || tooLong) return;
    if (begun) {
      onSend(text.trim());
      return onDone();
    }
    setBusy(true);
    try {
      await api.editMessage(store.id, turn.id, text.trim());
      onDone();
    } catch (error) {
      setProblem(asProblem(error).detail);
      setBusy(false);
    }
  };

  const keyed = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Escape') onDone();
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      void save();
    }
  };

  return (
    <div className="message-editor">
      <textarea aria-label="Message text" autoFocus rows={3} value={text} onChange={(event) => setText(event.target.value)} onKeyDown={keyed} />
      {begun && <p className="field-hint" role="status">This message has begun as it was. You can send your text as a message of its own.</p>}
      {problem && !begun && <p className="field-error" role="alert">{problem}</p>}
      {tooLong && <p className="field-error" role="alert">{bytes(promptBytes(text))} is too long; a message may have {bytes(promptLimit)}.</p>}
      <div className="message-editor-actions">
        <Button size="small" kind="quiet" onClick={onDone}>{begun ? 'Discard' : 'Cancel'}</Button>
        <Button size="small" kind="primary" busy={busy} disabled={text.trim() === '' || tooLong} onClick={() => void save()}>{begun ? 'Send as a new message' : 'Save'}</Button>
      </div>
    </div>
  );
}
