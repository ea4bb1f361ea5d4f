import type { FormEvent } from 'react';
import { useState } from 'react';
import { Button } from '../ui/Button';
import { Field } from '../ui/Field';
import { AdminsOnly } from './AdminsOnly';
import { SecretRow } from './SecretRow';
import type { SecretSectionProps } from './secretSection';

const prefix = 'git/';

/** Tokens for private repositories, one per host. */
export function GitTokens({ secrets, mayChange, onChanged }: SecretSectionProps) {
  const [added, setAdded] = useState<readonly string[]>([]);
  const stored = (secrets ?? []).filter((secret) => secret.name.startsWith(prefix));
  const hosts = [...new Set([...stored.map((secret) => secret.name.slice(prefix.length)), ...added])].sort();
  return (
    <section className="settings-section" id="git">
      <div className="settings-head"><h2>Git</h2><p className="muted">A token lets agents clone private repositories of a host: the token alone, or <code>username:password</code>. Public repositories need none.</p></div>
      {secrets && (
        <>
          {hosts.length > 0 && (
            <ul className="settings-rows">
              {hosts.map((host) => <SecretRow key={host} label={host} name={prefix + host} secret={stored.find((secret) => secret.name === prefix + host) ?? null} mayChange={mayChange} onChanged={onChanged} />)}
            </ul>
          )}
          {mayChange ? <AddHost onAdd={(host) => setAdded((known) => [...known, host])} /> : <AdminsOnly />}
        </>
      )}
    </section>
  );
}

function AddHost({ onAdd }: { onAdd: (host: string) => void }) {
  const [host, setHost] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const add = (event: FormEvent) => {
    event.preventDefault();
    const name = host.trim().toLowerCase().replace(/^https?:\/\//, '').replace(/\/.*$/, '');
    if (!/^[a-z0-9.-]+$/.test(name)) return setProblem('Give the name of the host alone, such as github.com.');
    setProblem(null);
    setHost('');
    onAdd(name);
  };
  return (
    <form className="settings-add" onSubmit={add}>
      <Field label="Host" error={problem}>
        {(control) => <input {...control} value={host} placeholder="github.com" spellCheck={false} autoCapitalize="off" onChange={(event) => setHost(event.target.value)} />}
      </Field>
      <Button type="submit" icon="plus">Add host</Button>
    </form>
  );
}
