import { memo, useMemo } from 'react';
import { CopyButton } from '../ui/CopyButton';
import { highlight } from './highlight';

/** Code with its language, colours and a way to copy it. */
export const CodeBlock = memo(function CodeBlock({ code, language }: { code: string; language: string }) {
  return (
    <figure className="code-block">
      <figcaption>
        <span>{language || 'text'}</span>
        <CopyButton text={code} label="Copy code" />
      </figcaption>
      <pre tabIndex={0}><Code code={code} language={language} /></pre>
    </figure>
  );
});

/** Coloured code without a frame. */
export function Code({ code, language }: { code: string; language: string }) {
  const pieces = useMemo(() => highlight(code, language), [code, language]);
  return <code>{pieces.map((piece, index) => (piece.kind ? <span key={index} className={`code-${piece.kind}`}>{piece.text}</span> : piece.text))}</code>;
}
