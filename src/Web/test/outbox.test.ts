import { expect, test } from 'vitest';
import type { OutboxEntry } from '../src/live/outbox';
import { Outbox } from '../src/live/outbox';

function storage(initial: string | null = null) {
  let text = initial;
  return { read: () => text, write: (next: string | null) => (text = next), get text() { return text; } };
}

const entry = (clientId: string, createdAt = 0): OutboxEntry => ({ clientId, text: clientId, retryOf: null, createdAt, refusal: null });

test('A prompt survives a reload until the host has accepted it', () => {
  const disk = storage();
  new Outbox(disk, 0).add(entry('a'));
  const reloaded = new Outbox(disk, 1000);
  expect(reloaded.unsent.map((item) => item.clientId)).toEqual(['a']);
  reloaded.settle('a');
  expect(disk.text).toBeNull();
});

test('What the session shows as received is not sent again', () => {
  const outbox = new Outbox(storage(), 0);
  outbox.add(entry('a'));
  outbox.add(entry('b'));
  outbox.settleAll(new Set(['a', 'z']));
  expect(outbox.unsent.map((item) => item.clientId)).toEqual(['b']);
});

test('A refused prompt waits for its person and is not sent again by itself', () => {
  const disk = storage();
  const outbox = new Outbox(disk, 0);
  outbox.add(entry('a'));
  outbox.refuse('a', 'queue_full', '100 messages are queued.');
  expect(outbox.unsent).toEqual([]);
  expect(new Outbox(disk, 1).entries[0]?.refusal?.code).toBe('queue_full');
});

test('A prompt older than the host remembers clientIds is not sent again by itself', () => {
  const disk = storage();
  new Outbox(disk, 0).add(entry('a', 0));
  const later = new Outbox(disk, 24 * 3_600_000);
  expect(later.unsent).toEqual([]);
  expect(later.entries[0]?.refusal?.code).toBe('not_sent');
});

test('Junk in the storage is no prompt', () => {
  for (const junk of ['{', '7', '[{"x":1}]', 'null']) expect(new Outbox(storage(junk), 0).entries).toEqual([]);
});
