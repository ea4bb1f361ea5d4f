import { useId, useMemo, useState } from 'react';
import type { Model, Provider } from '../api/wire';
import { refreshCatalog, useCatalog } from '../app/catalog';
import { Link } from '../app/Link';
import { DemoBadge } from '../app/ModelTag';
import { paths } from '../app/router';
import { count, money } from '../ui/format';
import { Unread } from '../ui/Unread';

interface ModelPickerProps {
  readonly value: string;
  readonly onChange: (model: string) => void;
  readonly error: string | null;
}

const searchFrom = 9;

/** Every model that could be used now, by provider; and what the other providers need first. */
export function ModelPicker({ value, onChange, error }: ModelPickerProps) {
  const catalog = useCatalog();
  const [query, setQuery] = useState('');
  const [other, setOther] = useState(false);
  const errorId = useId();
  const ready = catalog.providers.filter((provider) => provider.ready);
  const known = catalog.models.some((model) => model.model === value);
  const typed = other || (catalog.state === 'loaded' && value !== '' && !known);
  const usable = useMemo(() => catalog.models.filter((model) => model.ready && matches(model, query)), [catalog.models, query]);
  return (
    <fieldset className="field" aria-describedby={error ? errorId : undefined} aria-invalid={error !== null || undefined}>
      <legend>Model</legend>
      {catalog.state === 'loading' && <div className="skeletons" role="status" aria-label="Loading models"><i /><i /></div>}
      {catalog.state === 'failed' && catalog.problem && <Unread what="The models" problem={catalog.problem} again={refreshCatalog} />}
      {catalog.state === 'loaded' && (
        <div className="choices" role="presentation">
          {catalog.models.filter((model) => model.ready).length >= searchFrom && <input type="search" className="choices-search" aria-label="Search models" placeholder="Search models" value={query} onChange={(event) => setQuery(event.target.value)} />}
          <div className="choices-scroll">
            {ready.map((provider) => <ProviderGroup key={provider.name} provider={provider} models={usable} value={typed ? '' : value} onChoose={(model) => { setOther(false); onChange(model); }} />)}
            {ready.length > 0 && <OtherModel typed={typed} value={value} onChange={onChange} onChoose={() => { setOther(true); onChange(''); }} />}
          </div>
        </div>
      )}
      {error && <p id={errorId} className="field-error" role="alert">{error}</p>}
      <NotReady providers={catalog.providers.filter((provider) => !provider.ready)} alone={catalog.state === 'loaded' && ready.length === 0} />
    </fieldset>
  );
}

function matches(model: Model, query: string): boolean {
  return query.trim() === '' || `${model.displayName} ${model.model}`.toLowerCase().includes(query.trim().toLowerCase());
}

interface ProviderGroupProps {
  readonly provider: Provider;
  readonly models: readonly Model[];
  readonly value: string;
  readonly onChoose: (model: string) => void;
}

function ProviderGroup({ provider, models, value, onChoose }: ProviderGroupProps) {
  const own = models.filter((model) => model.provider === provider.name);
  if (own.length === 0) return null;
  return (
    <div role="group" aria-label={provider.displayName}>
      <div className="choices-group">{provider.displayName}</div>
      {own.map((model) => (
        <label key={model.model} className="choice">
          <input type="radio" name="model" data-field="model" checked={value === model.model} onChange={() => onChoose(model.model)} />
          <span className="choice-text">
            <span className="choice-label">{model.displayName}{model.isDemo && <DemoBadge />}</span>
            <span className="choice-hint">{model.isDemo ? 'Answers by a script. No account, no network, no cost.' : facts(model)}</span>
          </span>
        </label>
      ))}
    </div>
  );
}

function facts(model: Model): string {
  const context = model.contextTokens ? [`${count(model.contextTokens)} context`] : [];
  const price = model.inputPrice !== null && model.outputPrice !== null ? [`${money(model.inputPrice)} in, ${money(model.outputPrice)} out per million tokens`] : [];
  return [...context, ...price].join(' · ') || model.model;
}

interface OtherModelProps {
  readonly typed: boolean;
  readonly value: string;
  readonly onChange: (model: string) => void;
  readonly onChoose: () => void;
}

function OtherModel({ typed, value, onChange, onChoose }: OtherModelProps) {
  return (
    <div className="choices-other" role="group" aria-label="Another model">
      <label className="choice">
        <input type="radio" name="model" data-field="model" checked={typed} onChange={onChoose} />
        <span className="choice-text"><span className="choice-label">Another model</span><span className="choice-hint">One that is not listed here, of a provider that is set up.</span></span>
      </label>
      {typed && <input className="choice-input" aria-label="Model as provider/model" placeholder="provider/model" spellCheck={false} autoCapitalize="off" value={value} onChange={(event) => onChange(event.target.value)} />}
    </div>
  );
}

function NotReady({ providers, alone }: { providers: readonly Provider[]; alone: boolean }) {
  if (providers.length === 0) return null;
  return (
    <details className="not-ready" open={alone}>
      <summary>{alone ? 'No provider is set up yet' : `${providers.length} more ${providers.length === 1 ? 'provider needs' : 'providers need'} a key`}</summary>
      <ul>
        {providers.map((provider) => (
          <li key={provider.name}>
            <span>{provider.displayName}</span>
            {provider.secretName && <code>{provider.secretName}</code>}
            <Link to={paths.settings}>Add its key</Link>
          </li>
        ))}
      </ul>
    </details>
  );
}
