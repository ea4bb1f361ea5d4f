import { useEffect, useState } from 'react';
import type { ConnectionStatus } from '../live/connection';
import { Button } from '../ui/Button';
import { useNow } from '../ui/useNow';

const graceMs = 900;

/** Says when what is shown may not be the latest. A short interruption is nobody's business. */
export function ConnectionBanner({ status, onRetry }: { status: ConnectionStatus; onRetry: () => void }) {
  const troubled = status.kind !== 'live' && status.kind !== 'closed';
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!troubled) {
      setLate(false);
      return undefined;
    }
    const timer = setTimeout(() => setLate(true), graceMs);
    return () => clearTimeout(timer);
  }, [troubled]);
  if (!troubled || (!late && status.kind !== 'offline')) return null;
  return (
    <div className="banner">
      <span className="spinner" aria-hidden="true" />
      <Words status={status} />
      {status.kind === 'reconnecting' && <Button size="small" kind="quiet" onClick={onRetry}>Try now</Button>}
    </div>
  );
}

function Words({ status }: { status: ConnectionStatus }) {
  const now = useNow('second');
  if (status.kind === 'offline') return <span>You are offline. What you write is kept and sent when you are back.</span>;
  if (status.kind === 'connecting') return <span>Connecting…</span>;
  const seconds = status.kind === 'reconnecting' ? Math.ceil((status.retryAt - now) / 1000) : 0;
  return <span>The connection was lost. Reconnecting{seconds > 1 ? ` in ${seconds} s` : ' now'}. Nothing is lost meanwhile.</span>;
}
