import { elapsed } from '../ui/format';
import { useNow } from '../ui/useNow';
import type { Turn } from './model';
import { toolWords } from './toolWords';

/** What the agent is about right now, and since when. */
export function Working({ turn }: { turn: Turn }) {
  const now = useNow('second');
  const since = Date.parse(turn.startedAt ?? turn.dispatchedAt ?? turn.queuedAt);
  return (
    <div className="working">
      <span className="pulse" aria-hidden="true" />
      <span className="truncate">{activity(turn, now)}</span>
      <span className="muted">{elapsed(now - since)}</span>
    </div>
  );
}

function activity(turn: Turn, now: number): string {
  if (turn.cancelling) return 'Stopping…';
  if (turn.retrying) return retryWords(turn.retrying, now);
  if (turn.status === 'dispatched') return 'Handing the message to the agent';
  const last = turn.content.items.at(-1);
  if (last?.kind === 'tool' && last.status === 'running') {
    const { name, subject, code } = toolWords(last);
    return code || subject === '' ? `${name} ${subject}`.trim() : subject;
  }
  if (last?.kind === 'permission' && last.answer === null) return 'Waiting for your permission';
  if (last?.kind === 'text') return 'Writing';
  return 'Thinking';
}

function retryWords(retrying: NonNullable<Turn['retrying']>, now: number): string {
  const left = retrying.nextAt === null ? 0 : Date.parse(retrying.nextAt) - now;
  const when = left > 1000 ? ` in ${elapsed(left)}` : '';
  return `Trying again${when} (attempt ${retrying.attempt})${retrying.reason ? `: ${retrying.reason}` : ''}`;
}
