import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { EventEnvelope } from '../src/api/wire';
import { SessionStore } from '../src/live/sessionStore';
import { History, itemOf } from './events';
import { FakeClock, FakeSocket } from './fakeSocket';

let clock: FakeClock;
let sockets: FakeSocket[];
let history: History;
let head: number;
let asked: string[];
let frames: (() => void)[];
let disk: string | null;
let unauthorized: number;
let status: number;

const last = () => sockets.at(-1) as FakeSocket;
const paint = () => frames.splice(0).forEach((frame) => frame());
const view = () => ({ id: 'ses_1', title: 'Fix', cursor: `1.${head}`, messages: [], permissionsOpen: [] });

beforeEach(() => {
  clock = new FakeClock();
  [sockets, asked, frames, disk, unauthorized, status] = [[], [], [], null, 0, 200];
  history = new History().created().queued('msg_1').begun('msg_1').text('msg_1', 0, 'Hello');
  head = history.events.length;
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path);
    if (status !== 200) return Promise.resolve(new Response(JSON.stringify({ code: 'refused', detail: 'No.' }), { status }));
    const after = Number(/after=1\.(\d+)/.exec(decodeURIComponent(path))?.[1] ?? 0);
    const items = history.events.slice(after, Math.min(after + 3, head));
    const end = after + items.length;
    return Promise.resolve(Response.json(path.includes('/events') ? { items, cursor: `1.${end}`, nextCursor: end < head ? `1.${end}` : null } : view()));
  });
});

afterEach(() => vi.unstubAllGlobals());

function store(): SessionStore {
  return new SessionStore('ses_1', {
    openSocket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    clock,
    storage: { read: () => disk, write: (text) => (disk = text) },
    nextFrame: (action) => {
      frames.push(action);
      return () => (frames = frames.filter((frame) => frame !== action));
    },
    onUnauthorized: () => (unauthorized += 1),
    onView: () => undefined,
  });
}

async function started(): Promise<SessionStore> {
  const session = store();
  await session.start();
  last().accept(view());
  return session;
}

const live = (events: readonly EventEnvelope[]) => last().say({ type: 'events', events });
const textOf = (session: SessionStore) => {
  const conversation = session.snapshot().conversation;
  if (!conversation) throw new Error('Nothing was loaded.');
  return itemOf(conversation, 'msg_1', 'text').text;
};

describe('loading and following', () => {
  test('History comes by pages from its origin, then the socket follows after it', async () => {
    const session = await started();
    expect(asked.filter((path) => path.includes('/events'))).toEqual([
      '/v1/sessions/ses_1/events?limit=1000', '/v1/sessions/ses_1/events?limit=1000&after=1.3',
    ]);
    expect(last().sent[0]).toEqual({ type: 'subscribe', after: `1.${head}` });
    expect(textOf(session)).toBe('Hello');
  });

  test('Many frames of events are shown at most once per painted frame', async () => {
    const session = await started();
    let shown = 0;
    session.subscribe(() => (shown += 1));
    for (let offset = 5; offset < 25; offset += 5) {
      history.text('msg_1', offset, ' more');
      live(history.events.slice(-1));
    }
    expect(shown).toBe(0);
    paint();
    expect(shown).toBe(1);
    expect(textOf(session)).toBe('Hello more more more more');
  });

  test('A gap in the stream is not shown; what is missing is asked for again', async () => {
    const session = await started();
    history.text('msg_1', 5, ', wor').text('msg_1', 10, 'ld!');
    live(history.events.slice(-1));
    paint();
    expect(textOf(session)).toBe('Hello');
    expect(sockets).toHaveLength(2);
    last().accept(view());
    expect(last().sent[0]).toEqual({ type: 'subscribe', after: `1.${head}` });
    live(history.events.slice(head - 2));
    paint();
    expect(textOf(session)).toBe('Hello, world!');
  });

  test('Events that were received and not yet painted are not asked for twice', async () => {
    await started();
    history.text('msg_1', 5, '!');
    live(history.events.slice(-1));
    last().drop(1012);
    clock.advance(400);
    last().accept(view());
    expect(last().sent[0]).toEqual({ type: 'subscribe', after: `1.${head + 1}` });
  });

  test('A cursor that has become invalid loads the session from scratch', async () => {
    const session = await started();
    history.text('msg_1', 5, '!!');
    head = history.events.length;
    last().drop(4410);
    await vi.waitFor(() => expect(sockets).toHaveLength(2));
    expect(textOf(session)).toBe('Hello!!');
  });

  test('A load that fails says why and can be tried again', async () => {
    status = 404;
    const session = store();
    await session.start();
    expect(session.snapshot().load).toMatchObject({ kind: 'failed', problem: { code: 'refused', status: 404 } });
    status = 200;
    await session.start();
    expect(session.snapshot().load.kind).toBe('loaded');
  });

  test('People who were signed out are shown the way in', async () => {
    await started();
    last().drop(4401);
    expect(unauthorized).toBe(1);
  });
});

describe('prompts', () => {
  test('A prompt that was cut off is sent again under the same clientId, and not after it was accepted', async () => {
    const session = await started();
    session.prompt('Go on');
    const first = last().sent.at(-1);
    last().drop();
    clock.advance(500);
    last().accept(view());
    expect(last().sent.at(-1)).toEqual(first);
    last().say({ type: 'accepted', clientId: first?.['clientId'], messageId: 'msg_2', position: 0 });
    expect(session.snapshot().outbox).toEqual([]);
    last().drop();
    clock.advance(500);
    last().accept(view());
    expect(last().sent).toHaveLength(1);
  });

  test('An acceptance that was lost is read from the events instead', async () => {
    const session = await started();
    session.prompt('Go on');
    const clientId = session.snapshot().outbox[0]?.clientId;
    history.queued('msg_2', 'Go on', { clientId });
    live(history.events.slice(-1));
    paint();
    expect(session.snapshot().outbox).toEqual([]);
    expect(disk).toBeNull();
  });

  test('A prompt written while offline goes when the connection is back', async () => {
    const session = await started();
    session.setOnline(false);
    session.prompt('Later');
    expect(session.snapshot().outbox).toHaveLength(1);
    session.setOnline(true);
    last().accept(view());
    expect(last().sent.at(-1)).toMatchObject({ type: 'prompt', text: 'Later' });
  });

  test('A refusal is shown and gives the text back', async () => {
    const session = await started();
    session.prompt('One too many');
    const clientId = session.snapshot().outbox[0]?.clientId ?? '';
    last().say({ type: 'refused', for: 'prompt', clientId, code: 'queue_full', detail: '100 messages are queued.' });
    expect(session.snapshot().outbox[0]?.refusal).toEqual({ code: 'queue_full', detail: '100 messages are queued.' });
    expect(session.discard(clientId)).toBe('One too many');
    expect(session.snapshot().outbox).toEqual([]);
  });

  test('A refusal that says not now is tried again by itself', async () => {
    const session = await started();
    session.prompt('Please');
    const clientId = session.snapshot().outbox[0]?.clientId ?? '';
    last().say({ type: 'refused', for: 'prompt', clientId, code: 'dependency_unavailable', detail: 'Down.' });
    expect(session.snapshot().outbox[0]?.refusal).toBeNull();
    clock.advance(5_000);
    expect(last().sent.filter((frame) => frame['clientId'] === clientId)).toHaveLength(2);
  });

  test('A prompt that nobody confirmed before a long sleep is shown as not sent, and not sent again', async () => {
    const session = await started();
    session.prompt('Friday');
    last().drop();
    clock.advance(500);
    clock.advance(25 * 3_600_000);
    last().accept(view());
    expect(last().sent.filter((frame) => frame['type'] === 'prompt')).toEqual([]);
    expect(session.snapshot().outbox).toMatchObject([{ text: 'Friday', refusal: { code: 'not_sent' } }]);
  });

  test('A prompt that is refused for now when a long sleep begins is not sent after it', async () => {
    const session = await started();
    session.prompt('Friday');
    const clientId = session.snapshot().outbox[0]?.clientId ?? '';
    clock.sleep(25 * 3_600_000);
    last().say({ type: 'refused', for: 'prompt', clientId, code: 'host_draining', detail: 'Later.' });
    clock.advance(5_000);
    expect(last().sent.filter((frame) => frame['type'] === 'prompt')).toHaveLength(1);
    expect(session.snapshot().outbox[0]?.refusal?.code).toBe('not_sent');
  });

  test('What was missed is read before anything is sent again, and shows what had arrived', async () => {
    const session = await started();
    session.prompt('Arrived');
    session.prompt('Lost');
    const [arrived, lost] = session.snapshot().outbox.map((entry) => entry.clientId);
    last().drop();
    clock.advance(500);
    history.text('msg_1', 5, '!').queued('msg_2', 'Arrived', { clientId: arrived });
    head = history.events.length;
    last().accept(view());
    expect(last().sent).toHaveLength(1);
    live(history.events.slice(-2, -1));
    paint();
    expect(last().sent).toHaveLength(1);
    live(history.events.slice(-1));
    expect(last().sent.slice(1).map((frame) => frame['clientId'])).toEqual([lost]);
  });

  test('A prompt that is written while what was missed is read follows the older ones', async () => {
    const session = await started();
    session.setOnline(false);
    session.prompt('First');
    history.text('msg_1', 5, '!');
    head = history.events.length;
    session.setOnline(true);
    last().accept(view());
    session.prompt('Second');
    expect(last().sent).toHaveLength(1);
    live(history.events.slice(-1));
    expect(last().sent.slice(1).map((frame) => frame['text'])).toEqual(['First', 'Second']);
  });

  test('A prompt does not wait for ever for events that do not come', async () => {
    const session = await started();
    session.prompt('Go on');
    last().drop();
    clock.advance(500);
    head += 1;
    last().accept(view());
    clock.advance(5_000);
    last().say({ type: 'pong' }); // it is there, and has no events to tell
    clock.advance(5_000);
    expect(last().sent.at(-1)).toMatchObject({ type: 'prompt', text: 'Go on' });
    session.prompt('And on');
    expect(last().sent.at(-1)).toMatchObject({ type: 'prompt', text: 'And on' });
  });

  test('A prompt that the host closes the socket over is refused instead of sent a third time, and what is behind it goes', async () => {
    const session = await started();
    session.prompt('Unreadable');
    session.prompt('Fine');
    const sent: string[] = [];
    for (let round = 0; round < 3; round++) {
      sent.push(last().sent.filter((frame) => frame['type'] === 'prompt').map((frame) => frame['text']).join(', '));
      if (round < 2) last().drop(4400);
      clock.advance(5_000);
      if (round < 2) last().accept(view());
    }
    expect(sent).toEqual(['Unreadable, Fine', 'Unreadable, Fine', 'Fine']);
    expect(session.snapshot().outbox).toMatchObject([{ text: 'Unreadable', refusal: { code: 'not_readable' } }, { text: 'Fine', refusal: null }]);
  });

  test('A host that cannot read the subscription says nothing about a prompt that was sent before', async () => {
    const session = await started();
    session.prompt('Go on');
    last().drop();
    for (let round = 0; round < 3; round++) {
      clock.advance(9_000);
      last().onopen?.();
      last().drop(4400);
    }
    expect(session.snapshot().outbox).toMatchObject([{ text: 'Go on', refusal: null }]);
  });

  test('What was answered is not what the host could not read', async () => {
    const session = await started();
    session.prompt('Accepted');
    session.prompt('For now');
    session.prompt('Unreadable');
    const [accepted, forNow] = session.snapshot().outbox.map((entry) => entry.clientId);
    last().say({ type: 'accepted', clientId: accepted, messageId: 'msg_2', position: 0 });
    for (let round = 0; round < 2; round++) {
      last().say({ type: 'refused', for: 'prompt', clientId: forNow, code: 'dependency_unavailable', detail: 'Down.' });
      last().drop(4400);
      clock.advance(9_000);
      last().accept(view());
    }
    expect(session.snapshot().outbox).toMatchObject([{ text: 'For now', refusal: null }, { text: 'Unreadable', refusal: { code: 'not_readable' } }]);
  });

  test('Half of a surrogate pair, which nobody can read, is sent as a replacement character; whole pairs stay', async () => {
    const session = await started();
    session.prompt('\ud83d a \ude00 b \u{1f600}');
    expect(last().sent.at(-1)).toMatchObject({ type: 'prompt', text: '\ufffd a \ufffd b \u{1f600}' });
  });

  test('A prompt that is too large for a frame as JSON is refused before it is sent', async () => {
    const session = await started();
    session.prompt('\u0001'.repeat(64 * 1024));
    expect(last().sent).toHaveLength(1);
    expect(session.snapshot().outbox[0]?.refusal?.code).toBe('prompt_too_large');
    session.prompt('\n'.repeat(64 * 1024 - 1));
    expect(last().sent).toHaveLength(2);
  });
});
