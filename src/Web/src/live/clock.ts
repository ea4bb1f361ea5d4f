/** Time and chance as the connection sees them; tests bring their own. */
export interface Clock {
  now(): number;
  random(): number;
  /** Runs `action` later; the answer takes it back. */
  after(milliseconds: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  after: (milliseconds, action) => {
    const timer = setTimeout(action, milliseconds);
    return () => clearTimeout(timer);
  },
};
