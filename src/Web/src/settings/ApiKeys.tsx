import type { FormEvent } from 'react';
import { useState } from 'react';
import { api } from '../api/api';
import { Attempt } from '../api/attempt';
import { asProblem } from '../api/problem';
import type { ApiKey, NewApiKey } from '../api/wire';
import { Button } from '../ui/Button';
import { CopyButton } from '../ui/CopyButton';
import { Field } from '../ui/Field';
import { dateTime } from '../ui/format';
import { Unread } from '../ui/Unread';
import { showProblem } from '../ui/toasts';
import { useResource } from '../ui/useResource';

/** Credentials for programs: the command line, scripts, other services. */
export function ApiKeys({ role }: { role: string }) {
  const keys = useResource(api.apiKeys);
  const [created, setCreated] = useState<NewApiKey | null>(null);
  return (
    <section className="settings-section" id="api-keys">
      <div className="settings-head"><h2>API keys</h2><p className="muted">For programs that call Coordinator. A key is shown once, when it is made.</p></div>
      {keys.problem && <Unread what="The keys" problem={keys.problem} again={keys.reload} />}
      {created && <CreatedKey created={created} onDone={() => setCreated(null)} />}
      {keys.value && keys.value.length > 0 && <ul className="settings-rows">{keys.value.map((key) => <KeyRow key={key.id} apiKey={key} onRevoked={keys.reload} />)}</ul>}
      <NewKey maker={role} onCreated={(key) => { setCreated(key); void keys.reload(); }} onMadeUnseen={keys.reload} />
    </section>
  );
}

function CreatedKey({ created, onDone }: { created: NewApiKey; onDone: () => void }) {
  return (
    <div className="created-key" role="status">
      <p><strong>Copy the key “{created.name}” now.</strong> It is not shown again.</p>
      <span className="command"><code>{created.key}</code><CopyButton text={created.key} label="Copy key" /></span>
      <Button size="small" onClick={onDone}>I have copied it</Button>
    </div>
  );
}

function KeyRow({ apiKey, onRevoked }: { apiKey: ApiKey; onRevoked: () => Promise<void> }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const revoke = async () => {
    setBusy(true);
    try {
      await api.revokeApiKey(apiKey.id);
      await onRevoked();
    } catch (error) {
      showProblem(error);
      setBusy(false);
    }
  };
  return (
    <li className="settings-row">
      <div className="settings-row-text">
        <span className="settings-row-title">{apiKey.name}</span>
        <span className="muted"><code>ck_…{apiKey.hint}</code> · {apiKey.role} · made {dateTime(apiKey.createdAt)} · {apiKey.expiresAt ? `until ${dateTime(apiKey.expiresAt)}` : 'does not expire'}</span>
      </div>
      <div className="settings-row-actions">
        {asking ? (
          <>
            <Button size="small" kind="danger" busy={busy} onClick={() => void revoke()} autoFocus>Revoke it</Button>
            <Button size="small" kind="quiet" onClick={() => setAsking(false)}>Keep it</Button>
          </>
        ) : <Button size="small" kind="quiet" onClick={() => setAsking(true)} aria-label={`Revoke the key ${apiKey.name}`}>Revoke</Button>}
      </div>
    </li>
  );
}

const lifetimes = [['', 'Never'], ['7', 'After a week'], ['30', 'After a month'], ['365', 'After a year']] as const;

/** What a key may do, least first: reading, working, changing secrets, everything. */
const roles = [['viewer', 'Read only'], ['member', 'Work: sessions and messages'], ['admin', 'Work, and change secrets'], ['owner', 'Everything its maker may']] as const;

/** A retry may meet a key that the first try made and nobody saw: then the list shows it, to be revoked. */
function NewKey({ maker, onCreated, onMadeUnseen }: { maker: string; onCreated: (key: NewApiKey) => void; onMadeUnseen: () => Promise<void> }) {
  const grantable = roles.slice(0, roles.findIndex(([value]) => value === maker) + 1);
  const [name, setName] = useState('');
  const [days, setDays] = useState('');
  const [role, setRole] = useState(maker === 'viewer' ? 'viewer' : 'member');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [attempt] = useState(() => new Attempt());
  const create = async (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === '') return setProblem('Give the key a name, so that you know later what uses it.');
    setBusy(true);
    try {
      const body = { name: name.trim(), role, ...(days === '' ? {} : { expiresInDays: Number(days) }) };
      onCreated(await api.createApiKey(body, attempt.keyFor(body)));
      attempt.succeeded();
      setName('');
      setProblem(null);
    } catch (error) {
      const refused = asProblem(error);
      attempt.failed(refused);
      setProblem(refused.detail);
      if (refused.code === 'answer_not_repeatable') void onMadeUnseen();
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="settings-add" onSubmit={(event) => void create(event)}>
      <Field label="Name" error={problem}>{(control) => <input {...control} value={name} placeholder="CI pipeline" onChange={(event) => setName(event.target.value)} />}</Field>
      <Field label="May">{(control) => <select {...control} value={role} onChange={(event) => setRole(event.target.value)}>{grantable.map(([value, label]) => <option key={value} value={value}>{label}</option>)}</select>}</Field>
      <Field label="Expires">{(control) => <select {...control} value={days} onChange={(event) => setDays(event.target.value)}>{lifetimes.map(([value, label]) => <option key={value} value={value}>{label}</option>)}</select>}</Field>
      <Button type="submit" icon="key" busy={busy}>Create key</Button>
    </form>
  );
}
