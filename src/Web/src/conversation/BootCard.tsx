import { useState } from 'react';
import { cx } from '../ui/cx';
import { duration, elapsed } from '../ui/format';
import { Icon } from '../ui/Icon';
import { useNow } from '../ui/useNow';
import type { BootItem, BootPhase } from './model';
import { tailOf, terminalText } from './terminalText';

const phaseWords: Readonly<Record<string, string>> = {
  create: 'Create the sandbox',
  connect: 'Connect to it',
  clone: 'Clone the repository',
  install: 'Install dependencies',
  discover: 'Look at the project',
  agent: 'Start the agent',
};

/** How a sandbox starts, phase by phase with what each costs; folded once it is ready. */
export function BootCard({ boot }: { boot: BootItem }) {
  const [chosen, setChosen] = useState<boolean | null>(null);
  const open = chosen ?? boot.status !== 'ready';
  return (
    <section className={cx('card', 'boot', boot.status === 'failed' && 'tool-failed')} aria-label="Sandbox">
      <button type="button" className="card-head" aria-expanded={open} onClick={() => setChosen(!open)}>
        <Icon name="box" />
        <span className="card-name">Sandbox</span>
        <span className="card-subject truncate">{summary(boot)}</span>
        <span className="card-end"><BootState boot={boot} /><span className={cx('card-chevron', open && 'card-chevron-open')}><Icon name="chevron" size={14} /></span></span>
      </button>
      {open && (
        <div className="card-body">
          <ol className="phases">{boot.phases.map((phase) => <Phase key={phase.phase} phase={phase} going={boot.status === 'starting'} />)}</ol>
          {boot.phases.length === 0 && <p className="muted phases-none">{boot.status === 'starting' ? 'Asked for; it starts in a moment.' : 'It ended before it began to start.'}</p>}
        </div>
      )}
    </section>
  );
}

function summary(boot: BootItem): string {
  const agent = boot.agent ? ` with ${boot.agent.name} ${boot.agent.version}` : '';
  switch (boot.status) {
    case 'ready':
      return `Ready${agent}${boot.resumed ? ', resumed where it was' : ''}`;
    case 'failed':
      return 'Could not start';
    case 'stopped':
      return 'Stopped while it started';
    default:
      return 'Starting';
  }
}

function BootState({ boot }: { boot: BootItem }) {
  if (boot.status === 'starting') return <Since at={boot.startedAt} />;
  if (boot.status === 'failed') return <span className="state-bad"><Icon name="cross" size={14} />failed</span>;
  if (boot.status === 'stopped') return <span className="muted">stopped</span>;
  return <>{boot.elapsedMs !== null && <span className="muted">{duration(boot.elapsedMs)}</span>}<span className="state-good"><Icon name="check" size={14} /><span className="visually-hidden">ready</span></span></>;
}

function Since({ at }: { at: string }) {
  const now = useNow('second');
  return <><span className="muted">{elapsed(now - Date.parse(at))}</span><span className="spinner" role="img" aria-label="starting" /></>;
}

const outputLines = 200;

function Phase({ phase, going }: { phase: BootPhase; going: boolean }) {
  const runs = going && (phase.status === 'started' || phase.status === 'progress');
  const { tail, before } = tailOf(terminalText(phase.output), outputLines);
  const latest = tail.slice(tail.lastIndexOf('\n') + 1);
  return (
    <li className={`phase phase-${runs ? 'running' : phase.status}`}>
      <span className="phase-mark" aria-hidden="true">{runs ? <span className="spinner" /> : phase.status === 'completed' ? <Icon name="check" size={12} /> : phase.status === 'failed' ? <Icon name="cross" size={12} /> : null}</span>
      <div className="phase-text">
        <span className="phase-name">{phaseWords[phase.phase] ?? phase.phase}{phase.status === 'skipped' && <span className="muted"> skipped</span>}{phase.elapsedMs !== null && <span className="muted"> {duration(phase.elapsedMs)}</span>}</span>
        {phase.detail && <span className={phase.status === 'failed' ? 'state-bad' : 'muted'}>{phase.detail}</span>}
        {tail !== '' && (
          <details className="phase-output">
            <summary><Icon name="chevron" size={12} /><span className="truncate">{runs ? latest : 'Output'}</span></summary>
            <pre className="terminal-output" tabIndex={0}>{before > 0 ? `… ${before} earlier lines\n` : ''}{tail}</pre>
          </details>
        )}
      </div>
    </li>
  );
}
