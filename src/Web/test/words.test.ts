import { describe, expect, test } from 'vitest';
import { ApiProblem } from '../src/api/problem';
import type { SessionView } from '../src/api/wire';
import { routeOf } from '../src/app/router';
import { announcement } from '../src/conversation/Announcer';
import { failureTitle } from '../src/conversation/failureTitle';
import { fold } from '../src/conversation/fold';
import { emptyConversation } from '../src/conversation/model';
import { promptBytes, promptLimit } from '../src/conversation/promptLimit';
import { waitingOf } from '../src/conversation/QueuePanel';
import { outputNote, tailOf, terminalText } from '../src/conversation/terminalText';
import { fieldProblem } from '../src/pages/NewSessionPage';
import { activityOf } from '../src/sessions/activity';
import { bytes, count, duration, money, relativeTime, repositoryName, usageLine } from '../src/ui/format';
import { History, conversationOf, usage } from './events';

test('Addresses name pages', () => {
  expect(routeOf('/')).toEqual({ name: 'home' });
  expect(routeOf('/sessions/ses_1')).toEqual({ name: 'session', id: 'ses_1' });
  expect(routeOf('/sign-in')).toEqual({ name: 'signIn' });
  expect(routeOf('/sessions/ses_1/else')).toEqual({ name: 'unknown' });
});

describe('numbers for people', () => {
  test('Durations, counts, sizes and money are short and have their units', () => {
    expect([duration(340), duration(2410), duration(59_960), duration(192_000), duration(3_720_000)]).toEqual(['340 ms', '2.4 s', '1 min 0 s', '3 min 12 s', '1 h 2 min']);
    expect([count(950), count(12_400), count(200_000), count(1_200_000)]).toEqual(['950', '12.4k', '200k', '1.2M']);
    expect([bytes(512), bytes(65_536), bytes(2_621_440)]).toEqual(['512 B', '64 KB', '2.5 MB']);
    expect([money(0), money(0.0042), money(1.5)]).toEqual(['$0', '$0.0042', '$1.50']);
  });

  test('Usage that is nothing is not shown', () => {
    expect(usageLine(usage(1200, 40))).toBe('1.2k tokens in · 40 out · $0.01');
    expect(usageLine({ ...usage(0, 0), costUsd: 0 })).toBeNull();
  });

  test('Times are told as people tell them', () => {
    const now = Date.UTC(2026, 0, 2, 12);
    expect(relativeTime(new Date(now - 20_000).toISOString(), now)).toBe('now');
    expect(relativeTime(new Date(now - 7_200_000).toISOString(), now)).toMatch(/2\s?h/);
    expect(relativeTime('junk', now)).toBe('');
  });

  test('A repository is called by its owner and its name', () => {
    expect(repositoryName('https://github.com/acme/app.git')).toBe('acme/app');
    expect(repositoryName('https://user@git.example.com/group/deep/app/')).toBe('deep/app');
  });
});

describe('output of commands', () => {
  test('Colours and rewritten lines read as a terminal would show them', () => {
    expect(terminalText('\u001b[32mok\u001b[0m\r\n10%\r50%\r100%\ndone\u0007')).toBe('ok\n100%\ndone');
    expect(terminalText('\u001b]0;title\u0007text')).toBe('text');
  });

  test('The end is shown and the lines before it are counted', () => {
    expect(tailOf('a\nb\nc\nd\n', 2)).toEqual({ tail: 'c\nd', before: 2 });
    expect(tailOf('a\nb', 2)).toEqual({ tail: 'a\nb', before: 0 });
    expect(tailOf('', 2)).toEqual({ tail: '', before: 0 });
  });

  test('A cut output says who cut it and what can be downloaded', () => {
    expect(outputNote({ truncated: true, outputLength: 65_536 })).toEqual({ shown: 'Only the beginning and the end are shown of 64 KB.', download: 'Download all of it' });
    expect(outputNote({ truncated: true, outputLength: null })).toEqual({ shown: 'The agent kept only a part of the output.', download: 'Download what it kept' });
  });
});

describe('messages', () => {
  test('The limit counts bytes, not characters', () => {
    expect(promptBytes('ä'.repeat(40_000))).toBe(80_000);
    expect(promptBytes('a'.repeat(promptLimit))).toBe(promptLimit);
  });

  test('The head of the queue stands in the conversation while nothing runs, and among the waiting ones while something does', () => {
    const history = new History().created().queued('msg_1').queued('msg_2');
    expect(waitingOf(conversationOf(history), null).map((turn) => turn.id)).toEqual(['msg_2']);
    history.begun('msg_1').queued('msg_3');
    expect(waitingOf(conversationOf(history), null).map((turn) => turn.id)).toEqual(['msg_2', 'msg_3']);
  });

  test('A message that begins while it is edited keeps its editor', () => {
    const history = new History().created().queued('msg_1').begun('msg_1').queued('msg_2').completed('msg_1').begun('msg_2');
    expect(waitingOf(conversationOf(history), 'msg_2').map((turn) => turn.id)).toEqual(['msg_2']);
  });

  test('A failure is headed by what failed, and one of a code that this page does not know by that it failed', () => {
    expect([failureTitle('model_error'), failureTitle('control_plane_unavailable'), failureTitle('of_a_later_version')]).toEqual(['The model failed', 'The control plane was away', 'This message failed']);
  });

  test('Refusals stand beside the field they are about', () => {
    const at = (code: string) => fieldProblem(new ApiProblem(422, code, 'why')).field;
    expect([at('model_key_missing'), at('repository_not_found'), at('branch_not_found'), at('prompt_too_large'), at('queue_full')]).toEqual(['model', 'repository', 'branch', 'prompt', null]);
  });
});

describe('what is said aloud', () => {
  const said = (before: History, after: History) => announcement(conversationOf(before), conversationOf(after), { kind: 'live' }, { kind: 'live' });
  const base = () => new History().created().queued('msg_1');

  test('One sentence for a change of state and none for a word of text', () => {
    expect(said(base(), base().begun('msg_1'))).toBe('The agent works on your message.');
    expect(said(base().begun('msg_1'), base().begun('msg_1').text('msg_1', 0, 'Hello'))).toBeNull();
    expect(said(base().begun('msg_1'), base().begun('msg_1').completed('msg_1'))).toBe('The agent has finished.');
  });

  test('A lost connection is told once', () => {
    const conversation = fold(emptyConversation('ses_1', '1.0'), base().events).conversation;
    expect(announcement(conversation, conversation, { kind: 'live' }, { kind: 'reconnecting', attempt: 1, retryAt: 0 })).toBe('The connection was lost.');
    expect(announcement(conversation, conversation, { kind: 'reconnecting', attempt: 1, retryAt: 0 }, { kind: 'reconnecting', attempt: 2, retryAt: 0 })).toBeNull();
  });
});

test('A session shows the one thing its owner should know', () => {
  const session = (change: Partial<SessionView>): SessionView => ({
    id: 'ses_1', title: '', status: 'active', model: 'demo/scripted', agent: 'opencode', permissions: 'auto', repository: null, createdAt: '', updatedAt: '',
    createdBy: { kind: 'user', id: 'usr_1', displayName: 'Ada' }, cursor: '1.1', sandbox: { id: null, status: 'none', reason: null }, messages: [], permissionsOpen: [], usage: usage(0, 0), ...change,
  });
  const message = (status: 'queued' | 'running' | 'failed') => ({ id: 'msg_1', status, text: '' });
  const kind = (change: Partial<SessionView>) => activityOf(session(change)).kind;
  expect(kind({})).toBe('new');
  expect(kind({ messages: [message('failed'), message('running')] })).toBe('working');
  expect(kind({ messages: [message('running')], permissionsOpen: [{}] })).toBe('asking');
  expect(kind({ messages: [message('queued')], sandbox: { id: 'box_1', status: 'booting', reason: null } })).toBe('starting');
  expect(kind({ messages: [message('failed')] })).toBe('failed');
  expect(kind({ status: 'archived', messages: [message('failed')] })).toBe('archived');
});
