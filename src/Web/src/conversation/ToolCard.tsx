import { useState } from 'react';
import { Code } from '../markdown/CodeBlock';
import { cx } from '../ui/cx';
import { duration, elapsed } from '../ui/format';
import { Icon } from '../ui/Icon';
import { useNow } from '../ui/useNow';
import { InputFields } from './InputFields';
import type { ToolItem } from './model';
import { Terminal } from './Terminal';
import type { ToolWords } from './toolWords';
import { commandOf, toolWords } from './toolWords';

/** One thing the agent did: what, on what, how it went, and on request everything about it. */
export function ToolCard({ tool }: { tool: ToolItem }) {
  const words = toolWords(tool);
  const failed = tool.status === 'failed' || (tool.exitCode !== null && tool.exitCode !== 0);
  const [chosen, setChosen] = useState<boolean | null>(null);
  const open = chosen ?? (words.body === 'terminal' || words.body === 'edit' || failed);
  const empty = !hasBody(tool, words);
  return (
    <section className={cx('card', 'tool', failed && 'tool-failed')} aria-label={`${words.name} ${words.subject}`}>
      <button type="button" className="card-head" aria-expanded={empty ? undefined : open} disabled={empty} onClick={() => setChosen(!open)}>
        <Icon name={words.icon} />
        <span className="card-name">{words.name}</span>
        <span className={cx('card-subject', 'truncate', words.code && 'mono')}>{words.subject}</span>
        <span className="card-end"><ToolState tool={tool} />{!empty && <span className={cx('card-chevron', open && 'card-chevron-open')}><Icon name="chevron" size={14} /></span>}</span>
      </button>
      {open && !empty && <div className="card-body"><ToolBody tool={tool} words={words} /></div>}
    </section>
  );
}

function hasBody(tool: ToolItem, words: ToolWords): boolean {
  return tool.output !== '' || tool.error !== null || tool.artifact !== null || words.body === 'terminal' || Object.keys(tool.input).length > 0;
}

function ToolState({ tool }: { tool: ToolItem }) {
  if (tool.status === 'running') return <Running since={tool.startedAt} />;
  const time = tool.durationMs !== null && <span className="muted">{duration(tool.durationMs)}</span>;
  if (tool.status === 'ended') return <span className="muted">stopped</span>;
  if (tool.status === 'failed') return <>{time}<span className="state-bad"><Icon name="cross" size={14} />failed</span></>;
  if (tool.exitCode !== null && tool.exitCode !== 0) return <>{time}<span className="state-bad">exit {tool.exitCode}</span></>;
  return <>{time}<span className="state-good"><Icon name="check" size={14} /><span className="visually-hidden">done</span></span></>;
}

function Running({ since }: { since: string }) {
  const now = useNow('second');
  return <><span className="muted">{elapsed(now - Date.parse(since))}</span><span className="spinner" role="img" aria-label="running" /></>;
}

function ToolBody({ tool, words }: { tool: ToolItem; words: ToolWords }) {
  const error = tool.error !== null && tool.error !== '' && <pre className="tool-error" tabIndex={0}>{tool.error}</pre>;
  switch (words.body) {
    case 'terminal':
      return <><Terminal tool={tool} command={shownCommand(tool, words)} />{error}</>;
    case 'edit':
      return <><EditBody tool={tool} />{error}</>;
    case 'write':
      return <><pre className="tool-code" tabIndex={0}><Code code={textOf(tool, 'content')} language={words.subject.split('.').at(-1) ?? ''} /></pre>{error}</>;
    default:
      return <><InputFields fields={tool.input} />{(tool.output !== '' || tool.artifact) && <Terminal tool={tool} command="" />}{error}</>;
  }
}

/** The command, unless the card's head already shows all of it. */
function shownCommand(tool: ToolItem, words: ToolWords): string {
  const command = commandOf(tool.input);
  return words.code && command.length <= 80 && command === words.subject ? '' : command;
}

function EditBody({ tool }: { tool: ToolItem }) {
  const before = textOf(tool, 'oldString', 'old_string');
  const after = textOf(tool, 'newString', 'new_string');
  const patch = textOf(tool, 'patch', 'diff');
  if (patch !== '') return <pre className="tool-code" tabIndex={0}><Code code={patch} language="diff" /></pre>;
  if (before === '' && after === '') return <InputFields fields={tool.input} />;
  return <pre className="tool-code" tabIndex={0}><Code code={signed('-', before) + signed('+', after)} language="diff" /></pre>;
}

function signed(sign: string, text: string): string {
  return text === '' ? '' : text.split('\n').map((line) => `${sign} ${line}\n`).join('');
}

function textOf(tool: ToolItem, ...names: readonly string[]): string {
  for (const name of names) {
    const value = tool.input[name];
    if (typeof value === 'string') return value;
  }
  return '';
}
