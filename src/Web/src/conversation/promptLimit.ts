/** The most bytes (UTF-8) a message may have. */
export const promptLimit = 64 * 1024;

const encoder = new TextEncoder();

export function promptBytes(text: string): number {
  // Most texts are far from the limit, and a UTF-16 unit is at most three bytes.
  return text.length * 3 < promptLimit * 0.8 ? text.length : encoder.encode(text).length;
}
