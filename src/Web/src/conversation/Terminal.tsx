import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import { api } from '../api/api';
import { useSessionStore } from '../live/useSession';
import { CopyButton } from '../ui/CopyButton';
import { Icon } from '../ui/Icon';
import type { ToolItem } from './model';
import { outputNote, tailOf, terminalText } from './terminalText';

const previewLines = 12;

/** A command and its output, as it comes. The end is what counts, so that is what is shown first. */
export function Terminal({ tool, command }: { tool: ToolItem; command: string }) {
  const store = useSessionStore();
  const [whole, setWhole] = useState(false);
  const text = useMemo(() => terminalText(tool.output), [tool.output]);
  const { tail, before } = useMemo(() => tailOf(text, previewLines), [text]);
  const shown = whole ? text.replace(/\n$/, '') : tail;
  const note = outputNote(tool);
  const output = useRef<HTMLPreElement>(null);
  useLayoutEffect(() => {
    if (!whole && output.current) output.current.scrollTop = output.current.scrollHeight;
  }, [whole, shown]);
  return (
    <div className="terminal">
      {command !== '' && <div className="terminal-command"><span aria-hidden="true">$</span><pre>{command}</pre><CopyButton text={command} label="Copy command" /></div>}
      {before > 0 && <button type="button" className="terminal-more" aria-expanded={whole} onClick={() => setWhole(!whole)}>{whole ? 'Show the end only' : `Show ${before} earlier ${before === 1 ? 'line' : 'lines'}`}</button>}
      {shown !== '' && <pre ref={output} className="terminal-output" tabIndex={0} aria-label="Output">{shown}</pre>}
      {shown === '' && tool.status !== 'running' && tool.error === null && <p className="terminal-none">No output</p>}
      {(tool.truncated || tool.artifact) && (
        <div className="terminal-note">
          <span>{note.shown}</span>
          {tool.artifact && <a href={api.artifactUrl(store.id, tool.artifact)} download><Icon name="download" size={14} />{note.download}</a>}
        </div>
      )}
    </div>
  );
}
