import type { ApiProblem } from '../api/problem';
import { Button } from './Button';
import { Notice } from './Notice';
import { useRetry } from './useRetry';

interface UnreadProps {
  /** What could not be read, as the start of a sentence: "The keys". */
  readonly what: string;
  readonly problem: ApiProblem;
  readonly tone?: 'warning' | 'danger';
  /** Reads it again; must be stable. */
  readonly again: () => Promise<void>;
}

/** Says that something could not be read. What may pass by itself is asked for again without anybody's doing; of anything else the person hears why. */
export function Unread({ what, problem, tone = 'danger', again }: UnreadProps) {
  useRetry(problem, again);
  if (problem.transient) return <p className="unread" role="status"><span className="spinner" aria-hidden="true" /><span>{what} cannot be read just now. Trying again…</span></p>;
  return <Notice tone={tone} actions={<Button size="small" icon="retry" onClick={() => void again()}>Try again</Button>}>{what} could not be read. {problem.detail}</Notice>;
}
