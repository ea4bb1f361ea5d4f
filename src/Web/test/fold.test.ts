import { describe, expect, test } from 'vitest';
import type { EventEnvelope } from '../src/api/wire';
import { fold } from '../src/conversation/fold';
import type { Conversation } from '../src/conversation/model';
import { emptyConversation } from '../src/conversation/model';
import { History, conversationOf, deepFreeze, itemOf, seeded, turnOf, usage } from './events';

const empty = () => emptyConversation('ses_1', '1.0');

function answered(id = 'msg_1'): History {
  return new History().created().queued(id).begun(id).text(id, 0, 'Hello').text(id, 5, ', wor').text(id, 10, 'ld!').completed(id);
}

describe('the sequence', () => {
  test('An event that comes twice changes nothing the second time', () => {
    const { events } = answered();
    const once = fold(empty(), events).conversation;
    const again = fold(once, events);
    expect(again.conversation).toBe(once);
    expect(again.verdict).toBe('complete');
  });

  test('Nothing is folded past a gap, and the cursor stays before it', () => {
    const { events } = answered();
    const folded = fold(empty(), events.filter((event) => event.seq !== 5));
    expect(folded.verdict).toBe('gap');
    expect(folded.conversation.cursor).toBe('1.4');
    expect(fold(folded.conversation, events)).toEqual(fold(empty(), events));
  });

  test('Events out of order are asked for again, never folded out of order', () => {
    const { events } = answered();
    const swapped = [...events.slice(0, 5), events[6], events[5], ...events.slice(7)] as EventEnvelope[];
    const folded = fold(empty(), swapped);
    expect(folded.verdict).toBe('gap');
    expect(itemOf(folded.conversation, 'msg_1', 'text').text).toBe('Hello');
  });

  test('Events written before the server was restored are of the history that is followed since', () => {
    const folded = fold(emptyConversation('ses_1', '7.0'), answered().events);
    expect(folded.verdict).toBe('complete');
    expect(folded.conversation.cursor).toBe(`7.${answered().events.length}`);
  });

  test('Deltas that were merged into one are the same text, from the start and from within', () => {
    const { events } = answered();
    const deltas = events.filter((event) => event.type === 'agent.text');
    const last = deltas[deltas.length - 1]!;
    const merged = events.filter((event) => !deltas.includes(event) || event === last)
      .map((event) => (event === last ? { ...last, at: deltas[0]!.at, from: deltas[0]!.seq, data: { ...(last.data as object), offset: 0, text: 'Hello, world!' } } : event));
    const whole = fold(empty(), events).conversation;
    expect(fold(empty(), merged).conversation).toEqual(whole);
    for (let seen = 0; seen <= events.length; seen++) expect(fold(fold(empty(), events.slice(0, seen)).conversation, merged).conversation).toEqual(whole);
  });

  test('Any cut into batches, with any overlap, folds to the same conversation', () => {
    const { events } = busyHistory();
    const whole = fold(empty(), events).conversation;
    for (let seed = 1; seed <= 60; seed++) {
      const random = seeded(seed);
      let state: Conversation = empty();
      while (state.seq < events.length) {
        const from = Math.max(0, state.seq - Math.floor(random() * 6));
        const to = Math.min(events.length, state.seq + 1 + Math.floor(random() * 9));
        state = fold(state, events.slice(from, to)).conversation;
      }
      expect(state).toEqual(whole);
    }
  });

  test('Folding never changes the conversation it started from', () => {
    const { events } = busyHistory();
    let state: Conversation = deepFreeze(empty());
    for (const event of events) state = deepFreeze(fold(state, [event]).conversation);
    expect(state).toEqual(fold(empty(), events).conversation);
  });

  test('What a batch does not touch keeps its identity', () => {
    const history = answered('msg_1').queued('msg_2').begun('msg_2');
    const before = conversationOf(history);
    const after = fold(before, history.text('msg_2', 0, 'more').events).conversation;
    expect(after.turns.get('msg_1')).toBe(before.turns.get('msg_1'));
    expect(after.turns.get('msg_2')).not.toBe(before.turns.get('msg_2'));
  });
});

describe('deltas', () => {
  test('Deltas that are repeated, overlapping or merged leave the same text', () => {
    const whole = 'The quick brown fox 🦊 jumps over the lazy dog — twice.';
    for (let seed = 1; seed <= 100; seed++) {
      const random = seeded(seed);
      const history = new History().created().queued('msg_1').begun('msg_1');
      let sent = 0;
      while (sent < whole.length) {
        const from = Math.max(0, sent - Math.floor(random() * 5));
        sent = Math.min(whole.length, sent + 1 + Math.floor(random() * 8));
        history.text('msg_1', from, whole.slice(from, sent));
      }
      expect(itemOf(conversationOf(history), 'msg_1', 'text').text).toBe(whole);
    }
  });

  test('A lower offset overwrites from there', () => {
    const history = answered().queued('msg_2').begun('msg_2').text('msg_2', 0, 'I will delete it').text('msg_2', 7, 'keep it');
    expect(itemOf(conversationOf(history), 'msg_2', 'text').text).toBe('I will keep it');
  });

  test('The output of a tool follows the same rule and is replaced by what completed it', () => {
    const history = new History().created().queued('msg_1').begun('msg_1')
      .add('tool.started', { callId: 'c1', tool: 'bash', input: { command: 'ls' } }, 'msg_1')
      .add('tool.updated', { callId: 'c1', offset: 0, output: 'a\nb\n' }, 'msg_1')
      .add('tool.updated', { callId: 'c1', offset: 2, output: 'b\nc\n' }, 'msg_1');
    expect(itemOf(conversationOf(history), 'msg_1', 'tool').output).toBe('a\nb\nc\n');
    history.add('tool.completed', { callId: 'c1', tool: 'bash', input: { command: 'ls' }, output: 'a\nb\nc\n', outputLength: 6, truncated: false, exitCode: 0, durationMs: 12 }, 'msg_1');
    expect(itemOf(conversationOf(history), 'msg_1', 'tool')).toMatchObject({ status: 'completed', exitCode: 0, output: 'a\nb\nc\n' });
  });

  test('Parts of text and reasoning stand in the order in which they began', () => {
    const history = new History().created().queued('msg_1').begun('msg_1')
      .add('agent.reasoning', { part: 'r', offset: 0, text: 'hm' }, 'msg_1').text('msg_1', 0, 'one', 'a').text('msg_1', 0, 'two', 'b').text('msg_1', 3, ' more', 'a');
    const { items } = turnOf(conversationOf(history), 'msg_1').content;
    expect(items.map((item) => (item.kind === 'text' || item.kind === 'reasoning' ? item.text : ''))).toEqual(['hm', 'one more', 'two']);
  });
});

describe('messages', () => {
  test('The queue keeps its order through editing, moving, cancelling and beginning', () => {
    const history = new History().created().queued('msg_1').begun('msg_1').queued('msg_2').queued('msg_3').queued('msg_4')
      .add('message.moved', { before: 'msg_2', position: 0 }, 'msg_4')
      .add('message.edited', { text: 'rather this' }, 'msg_3')
      .add('message.cancelled', { reason: 'user', usage: usage(0, 0), durationMs: 0 }, 'msg_2');
    const conversation = conversationOf(history);
    expect(conversation.queue).toEqual(['msg_4', 'msg_3']);
    expect(turnOf(conversation, 'msg_3').text).toBe('rather this');
    expect(conversationOf(history.completed('msg_1').begun('msg_4'))).toMatchObject({ queue: ['msg_3'], active: 'msg_4', timeline: ['msg_1', 'msg_2', 'msg_4'] });
  });

  test('Moving to the end and before an unknown message both put it last', () => {
    const history = new History().created().queued('msg_1').queued('msg_2').queued('msg_3')
      .add('message.moved', { before: null, position: 2 }, 'msg_1').add('message.moved', { before: 'msg_9', position: 2 }, 'msg_2');
    expect(conversationOf(history).queue).toEqual(['msg_3', 'msg_1', 'msg_2']);
  });

  test('A late completion does not overwrite cancelled', () => {
    const history = new History().created().queued('msg_1').begun('msg_1')
      .add('message.cancelling', { by: { kind: 'user', id: 'usr_1', displayName: 'Ada' } }, 'msg_1');
    expect(turnOf(conversationOf(history), 'msg_1').cancelling).toBe(true);
    history.add('message.cancelled', { reason: 'user', usage: usage(1, 1), durationMs: 5 }, 'msg_1').completed('msg_1').begun('msg_1');
    expect(turnOf(conversationOf(history), 'msg_1')).toMatchObject({ status: 'cancelled', cancelling: false, cancelReason: 'user' });
    expect(conversationOf(history).active).toBeNull();
  });

  test('A failure keeps its code and its reason, because they come from the events a reload reads again', () => {
    const history = new History().created().queued('msg_1').begun('msg_1')
      .add('message.failed', { code: 'interrupted', detail: 'The sandbox was lost while this ran.', retryable: true, usage: usage(3, 0), durationMs: 9 }, 'msg_1');
    expect(turnOf(conversationOf(history), 'msg_1').failure).toEqual({ code: 'interrupted', detail: 'The sandbox was lost while this ran.', retryable: true });
    expect(turnOf(conversationOf(history.queued('msg_2', 'again', { retryOf: 'msg_1' })), 'msg_1').retriedBy).toBe('msg_2');
  });

  test('A turn that has ended shows no running tool and no open question', () => {
    const history = new History().created().queued('msg_1').begun('msg_1')
      .add('tool.started', { callId: 'c1', tool: 'bash', input: {} }, 'msg_1')
      .add('permission.asked', { permissionId: 'per_1', permission: 'bash', patterns: ['rm *'], expiresAt: '2026-01-02T01:00:00Z' }, 'msg_1');
    expect(conversationOf(history).openPermissions).toHaveLength(1);
    const ended = conversationOf(history.add('message.cancelled', { reason: 'user', usage: usage(0, 0), durationMs: 1 }, 'msg_1'));
    expect(itemOf(ended, 'msg_1', 'tool').status).toBe('ended');
    expect(itemOf(ended, 'msg_1', 'permission').answer).toMatchObject({ how: 'ended' });
    expect(ended.openPermissions).toEqual([]);
  });

  test('Usage is counted live and settled by what ended the message', () => {
    const history = new History().created().queued('msg_1').begun('msg_1')
      .add('usage.recorded', { model: 'demo/scripted', ...usage(7, 2) }, 'msg_1').add('usage.recorded', { model: 'demo/scripted', ...usage(3, 3) }, 'msg_1');
    expect(turnOf(conversationOf(history), 'msg_1').usage).toMatchObject({ inputTokens: 10, outputTokens: 5 });
    expect(conversationOf(history.completed('msg_1')).usage).toMatchObject({ inputTokens: 10, outputTokens: 5, costUsd: 0.02 });
  });
});

describe('permissions', () => {
  test('Two people answer at once and the first answer stands', () => {
    const history = new History().created().queued('msg_1').begun('msg_1')
      .add('permission.asked', { permissionId: 'per_1', permission: 'bash', patterns: [], expiresAt: '2026-01-02T01:00:00Z' }, 'msg_1')
      .add('permission.answered', { permissionId: 'per_1', decision: 'reject', by: { kind: 'user', id: 'usr_1', displayName: 'Ada' }, note: 'no' }, 'msg_1')
      .add('permission.answered', { permissionId: 'per_1', decision: 'once', by: { kind: 'user', id: 'usr_2', displayName: 'Bob' } }, 'msg_1');
    const conversation = conversationOf(history);
    expect(itemOf(conversation, 'msg_1', 'permission').answer).toEqual({ decision: 'reject', by: 'Ada', how: 'person', note: 'no' });
    expect(conversation.openPermissions).toEqual([]);
  });

  test('A question that is given more time counts down to the new end, and expires by it', () => {
    const history = new History().created().queued('msg_1').begun('msg_1')
      .add('permission.asked', { permissionId: 'per_1', permission: 'bash', patterns: [], expiresAt: '2026-01-01T00:00:00Z' }, 'msg_1')
      .add('permission.extended', { permissionId: 'per_1', expiresAt: '2026-01-01T00:05:00Z' }, 'msg_1');
    expect(conversationOf(history).openPermissions).toMatchObject([{ id: 'per_1', expiresAt: '2026-01-01T00:05:00Z' }]);
    history.add('permission.expired', { permissionId: 'per_1', decision: 'reject' }, 'msg_1');
    expect(itemOf(conversationOf(history), 'msg_1', 'permission')).toMatchObject({ expiresAt: '2026-01-01T00:05:00Z', answer: { how: 'expired' } });
  });
});

test('A question that lapses with its message was not left unanswered', () => {
  const asked = (id: string, expiresAt: string) => new History().created().queued('msg_1').begun('msg_1')
    .add('permission.asked', { permissionId: id, permission: 'bash', patterns: [], expiresAt }, 'msg_1')
    .add('permission.expired', { permissionId: id, decision: 'reject' }, 'msg_1');
  expect(itemOf(conversationOf(asked('per_1', '2026-01-03T00:00:00Z')), 'msg_1', 'permission').answer?.how).toBe('ended');
  expect(itemOf(conversationOf(asked('per_1', '2026-01-01T00:00:00Z')), 'msg_1', 'permission').answer?.how).toBe('expired');
});

describe('the sandbox', () => {
  test('A boot belongs to the message it was made for, phase by phase', () => {
    const history = new History().created().queued('msg_1')
      .add('sandbox.requested', { sandboxId: 'box_1', generation: 1 })
      .add('sandbox.booting', { sandboxId: 'box_1', phase: 'install', status: 'started' })
      .add('sandbox.booting', { sandboxId: 'box_1', phase: 'install', status: 'progress', output: 'added 1\n' })
      .add('sandbox.booting', { sandboxId: 'box_1', phase: 'install', status: 'progress', output: 'added 2\n' });
    expect(conversationOf(history).loose.items).toHaveLength(1);
    history.begun('msg_1')
      .add('sandbox.booting', { sandboxId: 'box_1', phase: 'install', status: 'completed', elapsedMs: 40 })
      .add('sandbox.ready', { sandboxId: 'box_1', agent: { name: 'opencode', version: '1.18.33' }, resumed: false, elapsedMs: 2000 });
    const conversation = conversationOf(history);
    const boot = itemOf(conversation, 'msg_1', 'boot');
    expect(conversation.loose.items).toEqual([]);
    expect(boot).toMatchObject({ status: 'ready', elapsedMs: 2000 });
    expect(boot.phases).toMatchObject([{ phase: 'install', status: 'completed', elapsedMs: 40, output: 'added 1\nadded 2\n' }]);
    expect(conversation.sandbox).toMatchObject({ status: 'ready', agent: { name: 'opencode' } });
  });

  test('What a phase waited for is not said any more once it is completed', () => {
    const waiting = new History().created().queued('msg_1')
      .add('sandbox.requested', { sandboxId: 'box_1', generation: 1 })
      .add('sandbox.booting', { sandboxId: 'box_1', phase: 'create', status: 'progress', code: 'sandbox_full', detail: 'There is no room for another sandbox.' });
    expect(conversationOf(waiting).loose.items).toMatchObject([{ phases: [{ phase: 'create', detail: 'There is no room for another sandbox.' }] }]);
    const done = conversationOf(waiting.add('sandbox.booting', { sandboxId: 'box_1', phase: 'create', status: 'completed', elapsedMs: 40 }));
    expect(done.loose.items).toMatchObject([{ phases: [{ phase: 'create', status: 'completed', detail: null }] }]);
  });

  test('Boot errors reach the person: a failed phase and its message both say why', () => {
    const history = new History().created().queued('msg_1')
      .add('sandbox.requested', { sandboxId: 'box_1', generation: 1 })
      .add('sandbox.booting', { sandboxId: 'box_1', phase: 'clone', status: 'failed', detail: 'Repository not found.' })
      .add('sandbox.stopped', { sandboxId: 'box_1', reason: 'bootFailed' })
      .add('message.failed', { code: 'repository_not_found', detail: 'Check the URL.', retryable: true, usage: usage(0, 0), durationMs: 0 }, 'msg_1');
    const conversation = conversationOf(history);
    expect(itemOf(conversation, 'msg_1', 'boot')).toMatchObject({ status: 'failed', phases: [{ phase: 'clone', detail: 'Repository not found.' }] });
    expect(turnOf(conversation, 'msg_1').failure?.code).toBe('repository_not_found');
  });

  test('Events that name no sandbox are about the one at hand', () => {
    const history = new History().created().queued('msg_1')
      .add('sandbox.requested', { sandboxId: 'box_1', generation: 1 })
      .add('sandbox.booting', { phase: 'create', status: 'completed', elapsedMs: 40 })
      .begun('msg_1')
      .add('sandbox.ready', { agent: { name: 'opencode', version: '1' }, resumed: false, elapsedMs: 900 });
    const conversation = conversationOf(history);
    expect(turnOf(conversation, 'msg_1').content.items).toMatchObject([{ kind: 'boot', sandboxId: 'box_1', status: 'ready', phases: [{ phase: 'create' }] }]);
    expect(conversation.sandbox.id).toBe('box_1');
  });

  test('A boot that fails is told once, however many messages waited for it', () => {
    const failure = { code: 'branch_not_found', detail: 'There is no such branch.', retryable: true, usage: usage(0, 0), durationMs: 0 };
    const history = new History().created().queued('msg_1').queued('msg_2')
      .add('sandbox.requested', { sandboxId: 'box_1', generation: 1 })
      .add('sandbox.stopping', { sandboxId: 'box_1', reason: 'bootFailed' })
      .add('message.failed', failure, 'msg_1').add('message.failed', failure, 'msg_2')
      .add('sandbox.stopped', { sandboxId: 'box_1', reason: 'bootFailed' });
    const conversation = conversationOf(history);
    expect(itemOf(conversation, 'msg_1', 'boot').status).toBe('failed');
    expect(turnOf(conversation, 'msg_2').content.items).toEqual([]);
    expect(conversation.loose.items).toEqual([]);
    expect(conversation.sandbox.status).toBe('stopped');
  });

  test('A silence that ends is not a boot: the sandbox is ready again', () => {
    const history = new History().created().add('sandbox.requested', { sandboxId: 'box_1', generation: 1 })
      .add('sandbox.ready', { sandboxId: 'box_1', agent: { name: 'opencode', version: '1' }, resumed: false, elapsedMs: 1 })
      .add('sandbox.silent', { sandboxId: 'box_1', reason: 'closed' });
    expect(conversationOf(history).sandbox.status).toBe('silent');
    expect(conversationOf(history.add('sandbox.connected', { sandboxId: 'box_1', generation: 1, provider: 'local' })).sandbox.status).toBe('ready');
  });
});

describe('the environment', () => {
  const environment = { packageManager: 'npm', fileCount: 4, commands: { install: 'npm install', build: null } };
  const told = (data: object) => conversationOf(new History().created().add('environment.changed', { environment, ...data })).loose.items;

  test('The first that is known of a repository is no list of changes', () => {
    expect(told({ changes: ['packageManager', 'fileCount', 'commands'], first: true })).toMatchObject([{ kind: 'environment', changes: [] }]);
  });

  test('What changed since the session before is named, though this one has told nothing yet', () => {
    expect(told({ changes: ['fileCount'] })).toMatchObject([{ kind: 'environment', changes: ['fileCount'] }]);
  });
});

describe('lessons of the field', () => {
  test('One unknown event type does not blank the page', () => {
    const history = answered().add('hologram.projected', { beam: [1, 2, { deep: true }] }).queued('msg_2');
    const folded = fold(empty(), history.events);
    expect(folded.verdict).toBe('complete');
    expect(folded.conversation.queue).toEqual(['msg_2']);
  });

  test('A known event with fields of another shape does not blank the page', () => {
    const types = [...new Set(busyHistory().events.map((event) => event.type))];
    for (const junk of [null, 7, 'text', [], { input: 'x', entries: 'x', environment: 3, usage: 'many', by: 9, patterns: {}, agent: 'a', text: {} }]) {
      const history = new History().created().queued('msg_1').begun('msg_1');
      for (const type of types) history.add(type, junk as Record<string, unknown>, 'msg_1');
      expect(fold(empty(), history.events).verdict).toBe('complete');
    }
  });

  test('Text is ordered by sequence and never by clock', () => {
    const history = answered();
    const backwards = history.events.map((event) => ({ ...event, at: new Date(Date.UTC(2026, 0, 1) - event.seq * 1000).toISOString() }));
    expect(itemOf(fold(empty(), backwards).conversation, 'msg_1', 'text').text).toBe('Hello, world!');
  });

  test('Events that were lost are said to be lost', () => {
    const conversation = conversationOf(answered().add('events.lost', { reason: 'The sandbox was ahead of a restored server.', from: 3, to: 9 }));
    expect(conversation.loose.items).toMatchObject([{ kind: 'notice', tone: 'warning', detail: 'The sandbox was ahead of a restored server.' }]);
  });

  test('An event costs no more behind ten thousand others than behind one thousand', () => {
    const history = new History().created();
    for (let message = 0; history.events.length < 10_000; message++) {
      const id = `msg_${message}`;
      history.queued(id).begun(id);
      for (let call = 0; call < 40; call++) history.add('tool.started', { callId: `${message}.${call}`, tool: 'bash', input: {} }, id);
      for (let delta = 0; delta < 200; delta++) history.text(id, delta * 10, '0123456789');
      history.completed(id);
    }
    const costs: number[] = [];
    let state: Conversation = empty();
    for (let from = 0; from < 10_000; from += 1_000) {
      const before = process.cpuUsage();
      for (const event of history.events.slice(from, from + 1_000)) state = fold(state, [event]).conversation;
      costs.push(process.cpuUsage(before).user / 1_000);
    }
    expect(state.seq).toBe(10_000);
    expect(costs.at(-1)).toBeLessThan(4 * (costs[1] ?? 0) + 50); // were each fold to look at all that is there, it would be six times as much
  });
});

/** A history with every type of event in it. */
function busyHistory(): History {
  const by = { kind: 'user', id: 'usr_1', displayName: 'Ada' };
  return new History().created().queued('msg_1', 'fix it', { clientId: 'c-1' })
    .add('sandbox.requested', { sandboxId: 'box_1', generation: 1 })
    .add('sandbox.booting', { sandboxId: 'box_1', phase: 'create', status: 'completed', elapsedMs: 5 })
    .add('sandbox.connected', { sandboxId: 'box_1', generation: 1, provider: 'local' })
    .add('sandbox.ready', { sandboxId: 'box_1', agent: { name: 'opencode', version: '1' }, resumed: false, elapsedMs: 900 })
    .add('environment.changed', { environment: { packageManager: 'npm', fileCount: 4, commands: { install: 'npm install', build: null } }, changes: ['packageManager'] })
    .begun('msg_1')
    .add('agent.reasoning', { part: 'r1', offset: 0, text: 'thinking' }, 'msg_1')
    .add('plan.updated', { entries: [{ content: 'look', status: 'in_progress' }] }, 'msg_1')
    .add('agent.retrying', { attempt: 1, reason: 'overloaded' }, 'msg_1')
    .text('msg_1', 0, 'On it')
    .add('tool.started', { callId: 'c1', tool: 'bash', title: 'List', input: { command: 'ls' } }, 'msg_1')
    .add('permission.asked', { permissionId: 'per_1', callId: 'c1', permission: 'bash', patterns: ['ls'], expiresAt: '2026-01-02T01:00:00Z' }, 'msg_1')
    .add('permission.answered', { permissionId: 'per_1', decision: 'session', by }, 'msg_1')
    .add('permission.asked', { permissionId: 'per_2', permission: 'edit', patterns: [], expiresAt: '2026-01-02T01:00:00Z' }, 'msg_1')
    .add('permission.expired', { permissionId: 'per_2', decision: 'reject' }, 'msg_1')
    .add('tool.updated', { callId: 'c1', offset: 0, output: 'a.txt' }, 'msg_1')
    .add('tool.completed', { callId: 'c1', tool: 'bash', input: { command: 'ls' }, output: 'a.txt', outputLength: 5, truncated: true, artifact: 'ab12', exitCode: 0, durationMs: 3 }, 'msg_1')
    .add('tool.failed', { callId: 'c2', tool: 'read', input: {}, error: 'no such file', durationMs: 1 }, 'msg_1')
    .add('file.changed', { path: 'a.txt', change: 'modified' }, 'msg_1')
    .add('artifact.added', { sha256: 'ab12', name: 'output.txt', mediaType: 'text/plain', size: 5 }, 'msg_1')
    .queued('msg_2').add('message.edited', { text: 'later' }, 'msg_2').queued('msg_3').add('message.moved', { before: 'msg_2', position: 0 }, 'msg_3')
    .add('usage.recorded', { model: 'demo/scripted', ...usage(9, 9) }, 'msg_1')
    .add('message.cancelling', { by }, 'msg_1')
    .add('message.cancelled', { reason: 'user', usage: usage(9, 9), durationMs: 30 }, 'msg_1')
    .add('run.flushed', { runId: 'run_1', outcome: 'cancelled' })
    .begun('msg_3')
    .add('sandbox.silent', { sandboxId: 'box_1', reason: 'closed' })
    .add('sandbox.lost', { sandboxId: 'box_1', reason: 'exited' })
    .add('message.failed', { code: 'interrupted', detail: 'Lost.', retryable: true, usage: usage(1, 0), durationMs: 2 }, 'msg_3')
    .add('sandbox.stopped', { sandboxId: 'box_1', reason: 'archived' })
    .add('session.renamed', { title: 'Fixed' }).add('events.lost', { reason: 'restore' }).add('session.archived', { by });
}
