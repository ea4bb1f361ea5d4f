import type { EventEnvelope } from '../api/wire';
import { incarnationOf } from './cursor';
import { ConversationDraft } from './draft';
import { Fields } from './fields';
import { agentHandlers } from './foldAgent';
import { messageHandlers } from './foldMessages';
import { permissionHandlers } from './foldPermissions';
import { sandboxHandlers } from './foldSandbox';
import { sessionHandlers } from './foldSession';
import type { Handlers } from './handler';
import type { Conversation } from './model';

const handlers: ReadonlyMap<string, Handlers[string]> = new Map(
  [sessionHandlers, messageHandlers, agentHandlers, permissionHandlers, sandboxHandlers].flatMap((group) => Object.entries(group)),
);

/**
 * What became of a batch: all of it is in; or an event is missing before the one at hand and must be asked for again;
 * or the history is another one and must be loaded anew.
 */
export type FoldVerdict = 'complete' | 'gap' | 'foreign';

export interface Folded {
  readonly conversation: Conversation;
  readonly verdict: FoldVerdict;
}

/**
 * Folds events into a conversation, in the order of their sequence numbers and no other: what was folded before is
 * skipped, and nothing is folded past a gap. Pure; a type it does not know only takes its place in the sequence.
 */
export function fold(conversation: Conversation, events: readonly EventEnvelope[]): Folded {
  const incarnation = incarnationOf(conversation.cursor);
  const draft = new ConversationDraft(conversation);
  let verdict: FoldVerdict = 'complete';
  for (const event of events) {
    if (incarnationOf(event.cursor) !== incarnation) {
      verdict = 'foreign';
      break;
    }
    if (event.seq <= draft.fields.seq) continue;
    if (event.seq !== draft.fields.seq + 1) {
      verdict = 'gap';
      break;
    }
    handlers.get(event.type)?.(draft, event, new Fields(event.data));
    draft.fields.seq = event.seq;
    draft.fields.cursor = event.cursor;
  }
  return { conversation: draft.fields.seq === conversation.seq ? conversation : draft.commit(), verdict };
}
