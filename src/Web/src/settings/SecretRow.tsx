import type { FormEvent } from 'react';
import { useId, useState } from 'react';
import { api } from '../api/api';
import { asProblem } from '../api/problem';
import type { SecretInfo } from '../api/wire';
import { Button } from '../ui/Button';
import { dateTime } from '../ui/format';
import { showProblem } from '../ui/toasts';

interface SecretRowProps {
  readonly label: string;
  readonly name: string;
  readonly secret: SecretInfo | null;
  readonly mayChange: boolean;
  readonly onChanged: () => Promise<void>;
}

/** One stored value: set, replaced or deleted here, and never shown again. */
export function SecretRow({ label, name, secret, mayChange, onChanged }: SecretRowProps) {
  const [mode, setMode] = useState<'rest' | 'writing' | 'deleting'>('rest');
  const [busy, setBusy] = useState(false);
  const remove = async () => {
    setBusy(true);
    try {
      await api.deleteSecret(name);
      await onChanged();
      setMode('rest');
    } catch (error) {
      showProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <li className="settings-row">
      <div className="settings-row-text">
        <span className="settings-row-title">{label}</span>
        <span className="muted">{secret ? <>{secret.hint && <>Ends in <code>{secret.hint}</code> · </>}Set {dateTime(secret.updatedAt)}</> : <>Not set · <code>{name}</code></>}</span>
      </div>
      {mode === 'rest' && mayChange && (
        <div className="settings-row-actions">
          <Button size="small" onClick={() => setMode('writing')} aria-label={`${secret ? 'Replace' : 'Set'} the key of ${label}`}>{secret ? 'Replace' : 'Set key'}</Button>
          {secret && <Button size="small" kind="quiet" onClick={() => setMode('deleting')} aria-label={`Delete the key of ${label}`}>Delete</Button>}
        </div>
      )}
      {mode === 'deleting' && (
        <div className="settings-row-actions">
          <Button size="small" kind="danger" busy={busy} onClick={() => void remove()} autoFocus>Delete it</Button>
          <Button size="small" kind="quiet" onClick={() => setMode('rest')}>Keep it</Button>
        </div>
      )}
      {mode === 'writing' && <SecretForm name={name} onDone={() => setMode('rest')} onChanged={onChanged} />}
    </li>
  );
}

interface SecretFormProps {
  readonly name: string;
  readonly onDone: () => void;
  readonly onChanged: () => Promise<void>;
}

function SecretForm({ name, onDone, onChanged }: SecretFormProps) {
  const [value, setValue] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const errorId = useId();
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (value.trim() === '') return setProblem('Paste the key first.');
    setBusy(true);
    try {
      await api.putSecret(name, value.trim());
      setValue(''); // what is sealed leaves the page at once, before the list says so
      await onChanged();
      onDone();
    } catch (error) {
      setProblem(asProblem(error).detail);
      setBusy(false);
    }
  };
  return (
    <form className="settings-form" onSubmit={(event) => void save(event)}>
      <input type="password" autoFocus autoComplete="off" spellCheck={false} aria-label={`Value of ${name}`} aria-invalid={problem !== null || undefined} aria-describedby={problem ? errorId : undefined} placeholder="Paste the key" value={value} onChange={(event) => setValue(event.target.value)} />
      <Button type="submit" size="small" kind="primary" busy={busy}>Save</Button>
      <Button size="small" kind="quiet" onClick={onDone}>Cancel</Button>
      {problem && <p id={errorId} className="field-error" role="alert">{problem}</p>}
    </form>
  );
}
