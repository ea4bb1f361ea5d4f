import { useState } from 'react';
import { Link } from '../app/Link';
import { paths } from '../app/router';
import { useSessionStore } from '../live/useSession';
import { Button } from '../ui/Button';
import { Notice } from '../ui/Notice';
import { failureTitle } from './failureTitle';
import type { Turn } from './model';

/** How a message ended, when that needs saying: a failure with its reason and the way on, or a stop. */
export function Outcome({ turn }: { turn: Turn }) {
  if (turn.status === 'failed' && turn.failure) return <Failure turn={turn} code={turn.failure.code} detail={turn.failure.detail} retryable={turn.failure.retryable} />;
  if (turn.status === 'cancelled') return <p className="turn-stopped">{stopWords(turn)}</p>;
  return null;
}

function stopWords(turn: Turn): string {
  if (turn.cancelReason === 'archived') return 'Stopped because the session was archived.';
  if (turn.cancelReason === 'deadline') return 'Stopped because it took too long.';
  return turn.startedAt === null ? 'Taken back before it began.' : 'Stopped.';
}

const needsKey: ReadonlySet<string> = new Set(['model_key_missing', 'repository_not_found']);

function Failure({ turn, code, detail, retryable }: { turn: Turn; code: string; detail: string; retryable: boolean }) {
  const store = useSessionStore();
  const [retried, setRetried] = useState(false);
  const retry = () => {
    setRetried(true);
    store.prompt(turn.text, turn.id);
  };
  const actions = turn.retriedBy !== null || retried ? <span className="muted">Retried below.</span> : (
    <>
      <Button size="small" kind={retryable ? 'primary' : 'plain'} icon="retry" onClick={retry}>Retry</Button>
      {needsKey.has(code) && <Link className="button button-plain button-small" to={paths.settings}>Open settings</Link>}
    </>
  );
  return <Notice tone="danger" title={failureTitle(code)} actions={actions}>{detail}</Notice>;
}
