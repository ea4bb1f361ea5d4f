import { beforeEach, describe, expect, test } from 'vitest';
import type { EventEnvelope } from '../src/api/wire';
import { reconnectDelay } from '../src/live/backoff';
import type { ConnectionEnd, ConnectionStatus } from '../src/live/connection';
import { SessionConnection } from '../src/live/connection';
import { FakeClock, FakeSocket } from './fakeSocket';

let clock: FakeClock;
let sockets: FakeSocket[];
let statuses: ConnectionStatus[];
let ends: ConnectionEnd[];
let received: EventEnvelope[];
let unanswered: number;
let ready: number;
let unreadable: number;
let cursor: string;
let connection: SessionConnection;

const last = () => sockets.at(-1) as FakeSocket;
const status = () => statuses.at(-1)?.kind;

beforeEach(() => {
  clock = new FakeClock();
  [sockets, statuses, ends, received, unanswered, ready, unreadable, cursor] = [[], [], [], [], 0, 0, 0, '1.7'];
  connection = new SessionConnection({
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    clock,
    handlers: {
      cursor: () => cursor,
      onStatus: (next) => statuses.push(next),
      onReady: () => (ready += 1),
      onEvents: (events) => received.push(...events),
      onView: () => undefined,
      onAccepted: () => undefined,
      onRefused: () => undefined,
      onUnreadable: () => (unreadable += 1),
      onEnd: (end) => ends.push(end),
      onUnanswered: () => (unanswered += 1),
    },
  });
  connection.start();
});

describe('following', () => {
  test('The first frame subscribes after the last cursor', () => {
    last().onopen?.();
    expect(last().sent).toEqual([{ type: 'subscribe', after: '1.7' }]);
    expect(status()).toBe('connecting');
    last().accept();
    expect(status()).toBe('live');
    expect(ready).toBe(1);
  });

  test('Reconnect does not reload the last events: it subscribes again after the last one folded', () => {
    last().accept();
    cursor = '1.40';
    last().drop();
    clock.advance(500);
    expect(sockets).toHaveLength(2);
    last().accept();
    expect(last().sent[0]).toEqual({ type: 'subscribe', after: '1.40' });
  });

  test('A frame of an old socket is not heard', () => {
    const old = last();
    old.accept();
    connection.restart();
    old.onmessage?.({ data: JSON.stringify({ type: 'events', events: [{ seq: 1 }] }) });
    expect(received).toEqual([]);
    expect(old.closed).toBe(true);
  });

  test('Junk and unknown frames are ignored', () => {
    last().accept();
    for (const junk of ['{', '7', 'null', '{"type":"hologram"}']) last().say(junk);
    expect(status()).toBe('live');
  });
});

describe('coming back', () => {
  test('Attempts grow apart, at random below a bound of 30 seconds', () => {
    const bounds = [0, 1, 2, 3, 4, 5, 6, 7, 20].map((attempt) => reconnectDelay(attempt, () => 1));
    expect(bounds).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(reconnectDelay(9, () => 0)).toBe(0);
  });

  test('A restarting host is met at once, though not by all in the same instant', () => {
    last().accept();
    last().drop(1012);
    clock.advance(400);
    expect(sockets).toHaveLength(2);
  });

  test('A restarting host that says when to come back is heeded, once', () => {
    last().accept();
    last().say(JSON.stringify({ type: 'restarting', returnAfterMs: 5_000 }));
    last().drop(1012);
    clock.advance(4_999);
    expect(sockets).toHaveLength(1);
    clock.advance(1);
    expect(sockets).toHaveLength(2);
    last().accept();
    last().drop(1012);
    clock.advance(400);
    expect(sockets).toHaveLength(3);
  });

  test('A host that keeps saying 1012 is not hammered', () => {
    for (let round = 0; round < 8; round++) {
      last().onopen?.();
      last().drop(1012);
      clock.advance(400);
    }
    expect(sockets.length).toBeLessThan(5);
  });

  test('A host that keeps closing over a frame it cannot read is not hammered, though it answers each time', () => {
    for (let second = 0; second < 60; second++) {
      if (!last().closed) {
        last().accept();
        last().drop(4400);
      }
      clock.advance(1_000);
    }
    expect(sockets.length).toBeLessThan(10);
    expect(unreadable).toBe(sockets.length);
  });

  test('Being dropped as too slow resumes at once', () => {
    last().accept();
    last().drop(4408);
    clock.advance(400);
    expect(sockets).toHaveLength(2);
  });

  test('A stream that was closed by a proxy is reopened', () => {
    last().accept();
    last().drop(1001);
    expect(status()).toBe('reconnecting');
    clock.advance(500);
    expect(sockets).toHaveLength(2);
  });

  test.each([[4401, 'unauthorized'], [4404, 'notFound'], [4410, 'cursorInvalid']] as const)('Close %i ends it: %s', (code, end) => {
    last().accept();
    last().drop(code);
    clock.advance(120_000);
    expect(ends).toEqual([end]);
    expect(sockets).toHaveLength(1);
    expect(status()).toBe('closed');
  });

  test('An attempt that never opened asks over HTTP why', () => {
    last().drop();
    expect(unanswered).toBe(1);
    clock.advance(500);
    last().accept();
    last().drop();
    expect(unanswered).toBe(1);
  });

  test('Offline waits without trying, online tries at once', () => {
    last().accept();
    connection.setOnline(false);
    expect(status()).toBe('offline');
    clock.advance(120_000);
    expect(sockets).toHaveLength(1);
    connection.setOnline(true);
    expect(sockets).toHaveLength(2);
    expect(status()).toBe('connecting');
  });

  test('Hurrying does not wait for the timer and does not disturb a live socket', () => {
    last().accept();
    connection.hurry();
    expect(sockets).toHaveLength(1);
    last().drop();
    connection.hurry();
    expect(sockets).toHaveLength(2);
    clock.advance(120_000);
    expect(sockets.filter((socket) => !socket.closed).length).toBeLessThanOrEqual(1);
  });

  test('Stopping is for good', () => {
    last().accept();
    connection.stop();
    clock.advance(120_000);
    expect(last().closed).toBe(true);
    expect(sockets).toHaveLength(1);
  });
});

describe('a connection that only looks alive', () => {
  test('Silence is asked about, and no answer is taken for a dead socket', () => {
    last().accept();
    clock.advance(4_000);
    expect(last().sent.at(-1)).toEqual({ type: 'ping' });
    clock.advance(3_999);
    expect(sockets[0]?.closed).toBe(false);
    clock.advance(1);
    expect(sockets[0]?.closed).toBe(true);
    expect(status()).toBe('reconnecting');
  });

  test('Any frame refreshes it', () => {
    last().accept();
    for (let second = 0; second < 10; second++) {
      clock.advance(3_900);
      last().say({ type: 'pong' });
    }
    expect(sockets).toHaveLength(1);
    expect(status()).toBe('live');
  });

  test('A host that never answers the subscription is left', () => {
    last().onopen?.();
    clock.advance(10_000);
    expect(sockets[0]?.closed).toBe(true);
    expect(unanswered).toBe(1);
  });
});
