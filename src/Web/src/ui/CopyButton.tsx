import { useEffect, useState } from 'react';
import { IconButton } from './Button';

/** Copies a text and says that it did. */
export function CopyButton({ text, label }: { text: string | (() => string); label: string }) {
  const [copied, setCopied] = useState<'yes' | 'failed' | null>(null);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(null), 1600);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => {
    const value = typeof text === 'string' ? text : text();
    navigator.clipboard.writeText(value).then(() => setCopied('yes'), () => setCopied('failed'));
  };
  const said = copied === 'yes' ? 'Copied' : copied === 'failed' ? 'The browser did not allow copying' : label;
  return (
    <>
      <IconButton className="copy-button" icon={copied === 'yes' ? 'check' : copied === 'failed' ? 'cross' : 'copy'} label={said} onClick={copy} />
      <span className="visually-hidden" role="status">{copied ? said : ''}</span>
    </>
  );
}
