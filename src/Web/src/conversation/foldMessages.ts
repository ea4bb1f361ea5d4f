import type { EventEnvelope, Usage } from '../api/wire';
import type { ConversationDraft, TurnDraft } from './draft';
import type { Fields } from './fields';
import { addUsage, usageOf } from './fields';
import type { Handlers } from './handler';
import type { Turn } from './model';
import { isEnded, noItems, noUsage } from './model';

/** The life of a message: queued, begun, ended. The first end stands; a late one changes nothing. */
export const messageHandlers: Handlers = {
  'message.queued': (draft, event, data) => {
    const id = event.messageId;
    if (id === undefined || draft.turn(id)) return;
    draft.addTurn(newTurn(id, event, data));
    draft.fields.queue = [...draft.fields.queue, id];
    const clientId = data.optionalString('clientId');
    if (clientId) draft.rememberClientId(clientId);
    const retried = draft.turn(data.optionalString('retryOf') ?? undefined);
    if (retried) retried.fields.retriedBy = id;
  },

  'message.edited': (draft, event, data) => {
    const turn = draft.turn(event.messageId);
    if (turn) turn.fields.text = data.string('text');
  },

  'message.moved': (draft, event, data) => {
    const id = event.messageId;
    if (id === undefined || !draft.fields.queue.includes(id)) return;
    const rest = draft.fields.queue.filter((waiting) => waiting !== id);
    const before = data.optionalString('before');
    const place = before === null ? -1 : rest.indexOf(before);
    draft.fields.queue = place < 0 ? [...rest, id] : [...rest.slice(0, place), id, ...rest.slice(place)];
  },

  'message.dispatched': (draft, event) => begin(draft, event, 'dispatched'),
  'message.started': (draft, event) => begin(draft, event, 'running'),

  'message.cancelling': (draft, event) => {
    const turn = draft.turn(event.messageId);
    if (turn && !isEnded(turn.fields.status)) turn.fields.cancelling = true;
  },

  'message.completed': (draft, event, data) => end(draft, event, data, () => ({ status: 'completed' })),

  'message.failed': (draft, event, data) => end(draft, event, data, () => ({
    status: 'failed',
    failure: { code: data.string('code'), detail: data.string('detail'), retryable: data.boolean('retryable') },
  })),

  'message.cancelled': (draft, event, data) => end(draft, event, data, () => ({
    status: 'cancelled', cancelReason: data.optionalString('reason'),
  })),

  'usage.recorded': (draft, event, data) => {
    const usage = usageOf(data);
    draft.fields.usage = addUsage(draft.fields.usage, usage);
    const turn = draft.turn(event.messageId);
    if (turn && !isEnded(turn.fields.status)) turn.fields.usage = addUsage(turn.fields.usage, usage);
  },
};

function newTurn(id: string, event: EventEnvelope, data: Fields): Turn {
  return {
    id,
    text: data.string('text'),
    model: data.optionalString('model'),
    by: data.principal('by'),
    retryOf: data.optionalString('retryOf'),
    retriedBy: null,
    status: 'queued',
    cancelling: false,
    queuedAt: event.at,
    dispatchedAt: null,
    startedAt: null,
    endedAt: null,
    durationMs: null,
    content: noItems,
    files: [],
    artifacts: [],
    retrying: null,
    usage: noUsage,
    failure: null,
    cancelReason: null,
  };
}

function begin(draft: ConversationDraft, event: EventEnvelope, status: 'dispatched' | 'running'): void {
  const turn = draft.turn(event.messageId);
  if (!turn || isEnded(turn.fields.status)) return;
  draft.begin(turn);
  draft.fields.active = turn.fields.id;
  turn.fields.status = status;
  turn.fields.dispatchedAt ??= event.at;
  if (status === 'running') turn.fields.startedAt ??= event.at;
}

function end(draft: ConversationDraft, event: EventEnvelope, data: Fields, outcome: () => Partial<Turn>): void {
  const turn = draft.turn(event.messageId);
  if (!turn || isEnded(turn.fields.status)) return;
  draft.begin(turn);
  const usage = data.usage('usage');
  Object.assign(turn.fields, outcome(), {
    cancelling: false,
    endedAt: event.at,
    durationMs: data.number('durationMs'),
    retrying: null,
    usage: usage && countsAnything(usage) ? usage : turn.fields.usage,
  } satisfies Partial<Turn>);
  if (draft.fields.active === turn.fields.id) draft.fields.active = null;
  endOpenItems(draft, turn);
}

/** A turn that has ended runs no tool and asks nothing any more, whatever its last events were. */
function endOpenItems(draft: ConversationDraft, turn: TurnDraft): void {
  for (const item of turn.items.all().slice()) {
    if (item.kind === 'tool' && item.status === 'running') turn.items.put({ ...item, status: 'ended' });
    if (item.kind === 'permission' && item.answer === null) {
      turn.items.put({ ...item, answer: { decision: 'reject', by: null, how: 'ended', note: null } });
      draft.closePermission(item.id);
    }
  }
}

function countsAnything(usage: Usage): boolean {
  return Object.values(usage).some((count) => count > 0);
}
