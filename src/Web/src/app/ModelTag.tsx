import { modelName, useCatalog } from './catalog';

/** A model by its name; the demo model says everywhere that it is one. */
export function ModelTag({ model }: { model: string }) {
  const { label, isDemo } = modelName(useCatalog(), model);
  return <span className="model-tag" title={model}><span className="truncate">{label}</span>{isDemo && <DemoBadge />}</span>;
}

export function DemoBadge() {
  return <span className="badge badge-demo" title="Answers by a script; no real model is called.">Demo</span>;
}
