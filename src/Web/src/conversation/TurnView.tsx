import { memo } from 'react';
import { CopyButton } from '../ui/CopyButton';
import { duration, usageLine } from '../ui/format';
import { ModelTag } from '../app/ModelTag';
import { Items } from './Items';
import type { ItemList, Turn } from './model';
import { isEnded } from './model';
import { Outcome } from './Outcome';
import { Prompt } from './Prompt';
import { TurnFiles } from './TurnFiles';
import { Working } from './Working';

/** A message and its answer. `waiting` is what happened before a message that has not begun: its sandbox starting. */
export const TurnView = memo(function TurnView({ turn, waiting }: { turn: Turn; waiting: ItemList }) {
  const going = turn.status === 'running' || turn.status === 'dispatched';
  return (
    <article className="turn" aria-busy={going || undefined}>
      <Prompt turn={turn} />
      {waiting.items.length > 0 && <Items list={waiting} going />}
      <Items list={turn.content} going={going} />
      {going && <Working turn={turn} />}
      <TurnFiles turn={turn} />
      <Outcome turn={turn} />
      {isEnded(turn.status) && <TurnFooter turn={turn} />}
    </article>
  );
});

function TurnFooter({ turn }: { turn: Turn }) {
  const usage = usageLine(turn.usage);
  const answer = () => turn.content.items.flatMap((item) => (item.kind === 'text' ? [item.text] : [])).join('\n\n');
  const says = turn.content.items.some((item) => item.kind === 'text');
  if (turn.startedAt === null && usage === null) return null;
  return (
    <footer className="turn-footer">
      {turn.model && <ModelTag model={turn.model} />}
      {turn.durationMs !== null && turn.durationMs > 0 && <span>{duration(turn.durationMs)}</span>}
      {usage && <span>{usage}</span>}
      {says && <CopyButton text={answer} label="Copy answer" />}
    </footer>
  );
}
