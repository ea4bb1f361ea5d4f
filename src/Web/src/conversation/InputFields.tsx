import { isRecord } from './fields';

/** Named values, laid out for reading. Nested ones are laid out inside. */
export function InputFields({ fields }: { fields: Readonly<Record<string, unknown>> }) {
  const entries = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined && value !== '');
  if (entries.length === 0) return null;
  return (
    <dl className="input-fields">
      {entries.map(([name, value]) => <div key={name}><dt>{readable(name)}</dt><dd><Value value={value} /></dd></div>)}
    </dl>
  );
}

function Value({ value }: { value: unknown }) {
  if (Array.isArray(value)) return <ul>{value.map((item, index) => <li key={index}><Value value={item} /></li>)}</ul>;
  if (isRecord(value)) return <InputFields fields={value} />;
  if (typeof value === 'boolean') return <>{value ? 'yes' : 'no'}</>;
  return <span className="input-value">{String(value)}</span>;
}

/** "filePath" and "file_path" as "file path". */
function readable(name: string): string {
  return name.replace(/[_-]+/g, ' ').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}
