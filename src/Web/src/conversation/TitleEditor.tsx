import type { FormEvent } from 'react';
import { useState } from 'react';
import { api } from '../api/api';
import { sessionList } from '../sessions/sessionList';
import { Button } from '../ui/Button';
import { showProblem } from '../ui/toasts';

/** Renames a session in place: Enter saves, Escape leaves it as it was. */
export function TitleEditor({ id, title, onDone }: { id: string; title: string; onDone: () => void }) {
  const [text, setText] = useState(title);
  const [busy, setBusy] = useState(false);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const next = text.trim();
    if (next === '' || next === title) return onDone();
    setBusy(true);
    try {
      sessionList.put(await api.renameSession(id, next));
      onDone();
    } catch (error) {
      showProblem(error);
      setBusy(false);
    }
  };
  return (
    <form className="title-editor" onSubmit={(event) => void save(event)}>
      <input aria-label="Title" autoFocus maxLength={200} value={text} onFocus={(event) => event.target.select()} onChange={(event) => setText(event.target.value)} onKeyDown={(event) => { if (event.key === 'Escape') onDone(); }} />
      <Button type="submit" size="small" kind="primary" busy={busy}>Save</Button>
      <Button size="small" kind="quiet" onClick={onDone}>Cancel</Button>
    </form>
  );
}
