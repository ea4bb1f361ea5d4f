import { useMemo, useState } from 'react';
import type { OutboxEntry } from '../live/outbox';
import { Button } from '../ui/Button';
import { Items } from './Items';
import type { Conversation } from './model';
import { noItems } from './model';
import { OutboxMessage } from './OutboxMessage';
import { TurnView } from './TurnView';

const step = 30;

interface TimelineProps {
  readonly conversation: Conversation;
  readonly outbox: readonly OutboxEntry[];
  readonly live: boolean;
  readonly onTakeBack: (text: string) => void;
}

/** The conversation from its latest messages upwards; earlier ones are shown when asked for. */
export function Timeline({ conversation, outbox, live, onTakeBack }: TimelineProps) {
  const [shown, setShown] = useState(step);
  const { timeline, turns, queue, active, loose } = conversation;
  const next = active === null ? queue[0] : undefined;
  const hidden = Math.max(0, timeline.length - shown);
  const ids = useMemo(() => {
    const latest = timeline.slice(hidden);
    return next === undefined ? latest : [...latest, next];
  }, [timeline, hidden, next]);
  const empty = ids.length === 0 && loose.items.length === 0 && outbox.length === 0;
  return (
    <>
      {hidden > 0 && <div className="timeline-earlier"><Button size="small" onClick={() => setShown(shown + step * 2)}>Show {Math.min(hidden, step * 2)} earlier of {hidden}</Button></div>}
      {empty && <div className="timeline-empty"><h2>Nothing asked yet</h2><p>Say below what should happen. The sandbox starts with your first message.</p></div>}
      {ids.map((id) => {
        const turn = turns.get(id);
        return turn && <TurnView key={id} turn={turn} waiting={id === next ? loose : noItems} />;
      })}
      {next === undefined && loose.items.length > 0 && <Items list={loose} going={false} />}
      {outbox.map((entry) => <OutboxMessage key={entry.clientId} entry={entry} live={live} onTakeBack={onTakeBack} />)}
    </>
  );
}
