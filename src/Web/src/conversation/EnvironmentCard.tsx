import { useState } from 'react';
import { cx } from '../ui/cx';
import { Icon } from '../ui/Icon';
import type { Environment, EnvironmentItem } from './model';

/** What was found in the repository: how it is built and tested, and in what it is written. */
export function EnvironmentCard({ item }: { item: EnvironmentItem }) {
  const [open, setOpen] = useState(false);
  const { environment } = item;
  return (
    <section className="card" aria-label="Environment">
      <button type="button" className="card-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="repo" />
        <span className="card-name">Environment</span>
        <span className="card-subject truncate">{summary(environment)}</span>
        <span className="card-end">{item.changes.length > 0 && <span className="badge">changed</span>}<span className={cx('card-chevron', open && 'card-chevron-open')}><Icon name="chevron" size={14} /></span></span>
      </button>
      {open && <div className="card-body"><Details environment={environment} changes={item.changes} /></div>}
    </section>
  );
}

function summary(environment: Environment): string {
  const parts = [
    environment.packageManager,
    environment.fileCount === null ? null : `${environment.fileCount.toLocaleString('en')} files`,
    ...environment.languages.slice(0, 2).map((language) => language.name),
  ];
  return parts.filter(Boolean).join(' · ') || 'Nothing was recognised';
}

function Details({ environment, changes }: { environment: Environment; changes: readonly string[] }) {
  const extras = [environment.hasDockerfile && 'Dockerfile', environment.hasDevcontainer && 'dev container'].filter(Boolean).join(', ');
  return (
    <dl className="input-fields">
      {changes.length > 0 && <Row name="changed" values={changes} />}
      {environment.commands.map(({ name, command }) => <div key={name}><dt>{name}</dt><dd><code>{command}</code></dd></div>)}
      <Row name="languages" values={environment.languages.map((language) => `${language.name} (${language.files})`)} />
      <Row name="runtimes" values={environment.runtimes.map((runtime) => [runtime.name, runtime.version].filter(Boolean).join(' '))} />
      <Row name="package managers" values={environment.packageManagers} />
      <Row name="packages" values={environment.packages.map((entry) => `${entry.name} (${entry.path})`)} />
      <Row name="variables it names" values={environment.environmentVariables} />
      {extras !== '' && <Row name="also has" values={[extras]} />}
      {environment.commit && <div><dt>commit</dt><dd><code>{environment.commit.slice(0, 12)}</code></dd></div>}
    </dl>
  );
}

function Row({ name, values }: { name: string; values: readonly string[] }) {
  return values.length === 0 ? null : <div><dt>{name}</dt><dd>{values.join(', ')}</dd></div>;
}
