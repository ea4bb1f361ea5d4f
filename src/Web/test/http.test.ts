import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { request } from '../src/api/http';

const inProgress = () => new Response(JSON.stringify({ code: 'request_in_progress', detail: '' }), { status: 409, headers: { 'Retry-After': '1' } });

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('A first try that still runs is asked about again after as long as the host said, with the same key', async () => {
  const keys: string[] = [];
  vi.stubGlobal('fetch', (_: string, init: RequestInit) => {
    keys.push(new Headers(init.headers).get('Idempotency-Key') ?? '');
    return Promise.resolve(keys.length === 1 ? inProgress() : new Response('{"id":"ses_1"}', { status: 201 }));
  });

  const made = request<{ id: string }>('POST', '/v1/sessions', { body: {} });
  await vi.advanceTimersByTimeAsync(999);
  expect(keys).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);

  expect(await made).toEqual({ id: 'ses_1' });
  expect(new Set(keys).size).toBe(1);
  expect(keys).toHaveLength(2);
});

test('Any other conflict is an answer', async () => {
  let calls = 0;
  vi.stubGlobal('fetch', () => {
    calls++;
    return Promise.resolve(new Response(JSON.stringify({ code: 'session_archived', detail: '' }), { status: 409 }));
  });

  await expect(request('POST', '/v1/sessions', { body: {} })).rejects.toMatchObject({ code: 'session_archived' });
  expect(calls).toBe(1);
});
