import { useCallback, useEffect, useState } from 'react';
import type { ApiProblem } from '../api/problem';
import { asProblem } from '../api/problem';

export interface Resource<T> {
  readonly value: T | null;
  readonly problem: ApiProblem | null;
  readonly reload: () => Promise<void>;
}

/** Something read from the host once the page shows it, and again when asked. `load` must be stable. */
export function useResource<T>(load: () => Promise<T>): Resource<T> {
  const [value, setValue] = useState<T | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const reload = useCallback(async () => {
    try {
      setValue(await load());
      setProblem(null);
    } catch (error) {
      setProblem(asProblem(error));
    }
  }, [load]);
  useEffect(() => void reload(), [reload]);
  return { value, problem, reload };
}
