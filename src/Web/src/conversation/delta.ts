/**
 * Puts a delta at its offset (UTF-16 units). A lower offset overwrites from there, so a delta that comes twice, or one
 * that merges two earlier ones, leaves the same text. A delta beyond the end is appended: text is never dropped.
 */
export function applyDelta(text: string, offset: number | null, delta: string): string {
  if (offset === null || offset >= text.length) return text + delta;
  return text.slice(0, Math.max(0, offset)) + delta;
}
