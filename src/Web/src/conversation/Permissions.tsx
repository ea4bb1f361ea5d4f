import type { FormEvent } from 'react';
import { useState } from 'react';
import { api } from '../api/api';
import type { PermissionDecision } from '../api/wire';
import { useSessionStore } from '../live/useSession';
import { Button } from '../ui/Button';
import { elapsed } from '../ui/format';
import { Icon } from '../ui/Icon';
import { showProblem } from '../ui/toasts';
import { useNow } from '../ui/useNow';
import { InputFields } from './InputFields';
import type { PermissionItem } from './model';
import { permissionWords } from './permissionWords';

/** The agent's open questions, above everything else a person may do. */
export function Permissions({ open }: { open: readonly PermissionItem[] }) {
  return <>{open.map((item) => <PermissionCard key={item.id} item={item} />)}</>;
}

function PermissionCard({ item }: { item: PermissionItem }) {
  const store = useSessionStore();
  const [sent, setSent] = useState<PermissionDecision | null>(null);
  const [rejecting, setRejecting] = useState(false);
  const [note, setNote] = useState('');

  const answer = async (decision: PermissionDecision, text: string | null = null) => {
    setSent(decision);
    try {
      await api.answerPermission(store.id, item.id, decision, text);
    } catch (error) {
      showProblem(error);
      setSent(null);
    }
  };
  const reject = (event: FormEvent) => {
    event.preventDefault();
    void answer('reject', note.trim() === '' ? null : note.trim());
  };
  const detail = Object.fromEntries(Object.entries(item.detail).filter(([, value]) => !item.patterns.includes(String(value))));

  return (
    <section className="permission" aria-label="Permission">
      <div className="permission-head">
        <Icon name="shield" />
        <h2>The agent wants to {permissionWords(item.permission)}</h2>
        {item.expiresAt && <Countdown until={item.expiresAt} />}
      </div>
      {item.title && <p>{item.title}</p>}
      {item.patterns.length > 0 && <ul className="permission-patterns">{item.patterns.map((pattern) => <li key={pattern}><code>{pattern}</code></li>)}</ul>}
      <InputFields fields={detail} />
      {rejecting ? (
        <form className="permission-actions" onSubmit={reject}>
          <input autoFocus aria-label="Note to the agent" placeholder="What should it do instead? (optional)" value={note} onChange={(event) => setNote(event.target.value)} onKeyDown={(event) => { if (event.key === 'Escape') setRejecting(false); }} />
          <Button type="submit" size="small" kind="danger" busy={sent === 'reject'}>Reject</Button>
          <Button size="small" kind="quiet" onClick={() => setRejecting(false)}>Back</Button>
        </form>
      ) : (
        <div className="permission-actions">
          <Button size="small" kind="primary" busy={sent === 'once'} disabled={sent !== null} onClick={() => void answer('once')}>Allow once</Button>
          <Button size="small" busy={sent === 'session'} disabled={sent !== null} onClick={() => void answer('session')}>Allow for this session</Button>
          <Button size="small" kind="quiet" disabled={sent !== null} onClick={() => setRejecting(true)}>Reject…</Button>
        </div>
      )}
    </section>
  );
}

function Countdown({ until }: { until: string }) {
  const left = Date.parse(until) - useNow('second');
  if (Number.isNaN(left)) return null;
  return <span className="permission-countdown muted" title="Without an answer it counts as rejected.">{left > 0 ? `${elapsed(left)} left` : 'expiring'}</span>;
}
