import { Icon } from '../ui/Icon';
import type { PlanEntry } from './model';

const words: Readonly<Record<PlanEntry['status'], string>> = { pending: 'to do', inProgress: 'in progress', completed: 'done', cancelled: 'dropped' };

/** The agent's own list of what is to do, as it stands now. */
export function PlanCard({ entries }: { entries: readonly PlanEntry[] }) {
  if (entries.length === 0) return null;
  const done = entries.filter((entry) => entry.status === 'completed').length;
  return (
    <section className="card plan" aria-label="Plan">
      <div className="card-head"><Icon name="list" /><span className="card-name">Plan</span><span className="card-end">{done} of {entries.length} done</span></div>
      <ul>
        {entries.map((entry, index) => (
          <li key={index} className={`plan-entry plan-${entry.status}`}>
            <span className="plan-mark" aria-hidden="true">{entry.status === 'completed' && <Icon name="check" size={12} />}{entry.status === 'cancelled' && <Icon name="cross" size={12} />}</span>
            <span>{entry.content.replace(/`/g, '')}</span>
            <span className="visually-hidden">{words[entry.status]}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
