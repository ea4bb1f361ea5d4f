import type { OutboxEntry } from '../live/outbox';
import { useSessionStore } from '../live/useSession';
import { Button } from '../ui/Button';
import { Notice } from '../ui/Notice';

/** A message on its way to the host, or refused by it. */
export function OutboxMessage({ entry, live, onTakeBack }: { entry: OutboxEntry; live: boolean; onTakeBack: (text: string) => void }) {
  const store = useSessionStore();
  const takeBack = () => onTakeBack(store.discard(entry.clientId));
  return (
    <article className="turn">
      <div className="prompt prompt-pending">
        <div className="prompt-text">{entry.text}</div>
        {!entry.refusal && <div className="prompt-about"><span className="spinner" aria-hidden="true" />{live ? 'Sending…' : 'Will be sent when the connection is back'}</div>}
      </div>
      {entry.refusal && (
        <Notice tone="danger" alert title="This message was not taken" actions={<><Button size="small" icon="edit" onClick={takeBack}>Edit and send again</Button><Button size="small" kind="quiet" onClick={() => store.discard(entry.clientId)}>Discard</Button></>}>
          {entry.refusal.detail}
        </Notice>
      )}
    </article>
  );
}
