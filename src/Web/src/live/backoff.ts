/** Full jitter: anywhere between nothing and a bound that doubles with each attempt, so that clients do not return in step. */
export function reconnectDelay(attempt: number, random: () => number): number {
  return random() * Math.min(30_000, 500 * 2 ** Math.min(attempt, 10));
}

/** How long to leave a host alone that could not answer: as long as it asked for, or longer with each attempt. */
export function retryDelay(retryAfterSeconds: number | null, attempt: number, random: () => number): number {
  return Math.max((retryAfterSeconds ?? 0) * 1000, reconnectDelay(attempt, random));
}

/** After a planned restart, or being dropped as too slow: at once, but not all in the same instant. */
export function promptReconnectDelay(random: () => number): number {
  return random() * 400;
}
