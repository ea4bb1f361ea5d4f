import type { EventPage } from '../api/wire';

/** The cursor after event `seq` of the history that `cursor` belongs to, which is what stands before the dot. */
export function cursorAt(cursor: string, seq: number): string {
  return `${cursor.slice(0, Math.max(0, cursor.indexOf('.')))}.${seq}`;
}

/** How many events of its history a cursor has before it. */
export function seqOf(cursor: string): number {
  return Number(cursor.slice(cursor.indexOf('.') + 1)) || 0;
}

/** The cursor before the first event of a page: what was before it may not be kept any more. */
export function beginningOf(page: EventPage): string {
  const first = page.items[0];
  return first ? cursorAt(page.cursor, (first.from ?? first.seq) - 1) : page.cursor;
}
