/**
 * A cursor is opaque but for one thing a client may know: what stands before the dot is the session's incarnation.
 * A cursor of another incarnation names a history that is not this one.
 */
export function incarnationOf(cursor: string): string {
  return cursor.slice(0, Math.max(0, cursor.indexOf('.')));
}

/** The cursor before the first event of the history that `cursor` belongs to. */
export function originOf(cursor: string): string {
  return `${incarnationOf(cursor)}.0`;
}
