/** Full jitter: anywhere between nothing and a bound that doubles with each attempt, so that clients do not return in step. */
export function reconnectDelay(attempt: number, random: () => number): number {
  return random() * Math.min(30_000, 500 * 2 ** Math.min(attempt, 10));
}

/** After a planned restart, or being dropped as too slow: at once, but not all in the same instant. */
export function promptReconnectDelay(random: () => number): number {
  return random() * 400;
}
