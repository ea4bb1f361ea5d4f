import type { EventEnvelope } from '../api/wire';
import type { ConversationDraft } from './draft';
import type { Fields } from './fields';
import type { Handlers } from './handler';
import type { PermissionAnswer, PermissionItem } from './model';

/** Questions of the agent and what was answered. Two people may answer at once: the first answer stands. */
export const permissionHandlers: Handlers = {
  'permission.asked': (draft, event, data) => {
    const id = data.string('permissionId');
    const items = draft.place(event.messageId);
    if (items.get(keyOf(id))) return;
    const item: PermissionItem = {
      kind: 'permission',
      key: keyOf(id),
      id,
      permission: data.string('permission'),
      patterns: data.strings('patterns'),
      title: data.optionalString('title'),
      detail: data.record('detail'),
      expiresAt: data.optionalString('expiresAt'),
      answer: null,
    };
    items.put(item);
    draft.openPermission(item);
  },

  'permission.extended': (draft, event, data) => {
    const id = data.string('permissionId');
    const expiresAt = data.optionalString('expiresAt');
    draft.changePermission(id, (item) => ({ ...item, expiresAt }));
    draft.change(keyOf(id), event.messageId, (item) => (item.kind === 'permission' && item.answer === null ? { ...item, expiresAt } : item));
  },

  'permission.answered': (draft, event, data) => {
    const grant = data.boolean('grant');
    answer(draft, event, data, {
      decision: data.oneOf('decision', ['once', 'session', 'reject'], 'once'),
      by: data.principal('by')?.displayName ?? null,
      how: grant ? 'grant' : 'person',
      note: data.optionalString('note'),
    });
  },

  'permission.expired': (draft, event, data) => {
    answer(draft, event, data, { decision: 'reject', by: null, how: 'expired', note: null });
  },
};

function keyOf(id: string): string {
  return `permission:${id}`;
}

function answer(draft: ConversationDraft, event: EventEnvelope, data: Fields, given: PermissionAnswer): void {
  const id = data.string('permissionId');
  draft.closePermission(id);
  draft.change(keyOf(id), event.messageId, (item) => (item.kind === 'permission' && item.answer === null ? { ...item, answer: inTime(item, event, given) } : item));
}

/** A question that lapses before its time did so because its message ended, not because nobody answered. */
function inTime(item: PermissionItem, event: EventEnvelope, given: PermissionAnswer): PermissionAnswer {
  const early = item.expiresAt !== null && Date.parse(event.at) < Date.parse(item.expiresAt);
  return given.how === 'expired' && early ? { ...given, how: 'ended' } : given;
}
