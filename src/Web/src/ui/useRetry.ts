import { useEffect, useRef } from 'react';
import type { ApiProblem } from '../api/problem';
import { retryDelay } from '../live/backoff';

/** Reads again by itself for as long as what is wrong may pass, so that nobody has to press a button after a restart of the host. `again` must be stable. */
export function useRetry(problem: ApiProblem | null, again: () => Promise<void>): void {
  const attempts = useRef(0);
  useEffect(() => {
    if (problem === null || !problem.transient) {
      attempts.current = 0;
      return undefined;
    }
    const timer = setTimeout(() => void again(), retryDelay(problem.retryAfter, attempts.current++, Math.random));
    return () => clearTimeout(timer);
  }, [problem, again]);
}
