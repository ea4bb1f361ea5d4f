import type { ClientFrame } from '../api/wire';
import type { OutboxEntry } from './outbox';

/** The most bytes (UTF-8) a frame may have; the host closes the socket over a larger one. */
const frameLimit = 256 * 1024;

const encoder = new TextEncoder();

export function promptFrame(entry: OutboxEntry): ClientFrame {
  const frame = { type: 'prompt', clientId: entry.clientId, text: entry.text } as const;
  return entry.retryOf ? { ...frame, retryOf: entry.retryOf } : frame;
}

/** False where a text within its limit is too large as JSON, in which a control character is six bytes. */
export function fitsFrame(frame: ClientFrame): boolean {
  return encoder.encode(JSON.stringify(frame)).length <= frameLimit;
}

/** The text with a replacement character for each half of a surrogate pair that stands alone, which the host cannot read. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}
