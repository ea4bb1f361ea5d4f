/** The cursor after event `seq` of the history that `cursor` belongs to, which is what stands before the dot. */
export function cursorAt(cursor: string, seq: number): string {
  return `${cursor.slice(0, Math.max(0, cursor.indexOf('.')))}.${seq}`;
}

/** The cursor before the first event of the history that `cursor` belongs to. */
export function originOf(cursor: string): string {
  return cursorAt(cursor, 0);
}
