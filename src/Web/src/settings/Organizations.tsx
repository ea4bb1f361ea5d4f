import type { FormEvent } from 'react';
import { useState } from 'react';
import { api } from '../api/api';
import { Attempt } from '../api/attempt';
import { chooseOrganization } from '../api/organization';
import { asProblem } from '../api/problem';
import type { Me } from '../api/wire';
import { paths } from '../app/router';
import { Button } from '../ui/Button';
import { Field } from '../ui/Field';

/** Where the person is a member, and a way to make another organization. */
export function Organizations({ me }: { me: Me }) {
  return (
    <section className="settings-section" id="organizations">
      <div className="settings-head"><h2>Organizations</h2><p className="muted">Sessions, keys, secrets and history belong to one organization and are invisible in every other.</p></div>
      <ul className="settings-rows">
        {me.organizations.map((one) => (
          <li key={one.id} className="settings-row">
            <div className="settings-row-text"><span className="settings-row-title">{one.name}</span><span className="muted">You are its {one.role}{one.id === me.organization.id ? ' · you are here' : ''}</span></div>
            {one.id !== me.organization.id && <div className="settings-row-actions"><Button size="small" onClick={() => enter(one.id)} aria-label={`Go to ${one.name}`}>Go there</Button></div>}
          </li>
        ))}
      </ul>
      {me.role === 'owner' && <NewOrganization />}
    </section>
  );
}

function NewOrganization() {
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [attempt] = useState(() => new Attempt());
  const create = async (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === '') return setProblem('Give the organization a name.');
    setBusy(true);
    try {
      enter((await api.createOrganization(name.trim(), attempt.keyFor(name.trim()))).id);
    } catch (error) {
      const refused = asProblem(error);
      attempt.failed(refused);
      setProblem(refused.detail);
      setBusy(false);
    }
  };
  return (
    <form className="settings-add" onSubmit={(event) => void create(event)}>
      <Field label="Name of the organization" error={problem}>{(control) => <input {...control} value={name} placeholder="Acme" onChange={(event) => setName(event.target.value)} />}</Field>
      <Button type="submit" icon="plus" busy={busy}>Create organization</Button>
    </form>
  );
}

/** The page starts anew, so that nothing of the one organization is left in the other. */
function enter(id: string): void {
  chooseOrganization(id);
  location.assign(paths.settings);
}
