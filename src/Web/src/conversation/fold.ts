import type { EventEnvelope } from '../api/wire';
import { cursorAt } from './cursor';
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

/** What became of a batch: all of it is in; or an event is missing before the one at hand and must be asked for again. */
export type FoldVerdict = 'complete' | 'gap';

export interface Folded {
  readonly conversation: Conversation;
  readonly verdict: FoldVerdict;
}

/**
 * Folds events into a conversation, in the order of their sequence numbers and no other: what was folded before is
 * skipped, and nothing is folded past a gap. Pure; a type it does not know only takes its place in the sequence. The
 * cursor within an event is of when it was written, maybe before the server was restored from a backup; what may be
 * resumed is a place in the history that is followed. One event may stand for a range, which is read again from its start.
 */
export function fold(conversation: Conversation, events: readonly EventEnvelope[]): Folded {
  const draft = new ConversationDraft(conversation);
  let verdict: FoldVerdict = 'complete';
  for (const event of events) {
    if (event.seq <= draft.fields.seq) continue;
    if ((event.from ?? event.seq) > draft.fields.seq + 1) {
      verdict = 'gap';
      break;
    }
    handlers.get(event.type)?.(draft, event, new Fields(event.data));
    draft.fields.seq = event.seq;
    draft.fields.cursor = cursorAt(conversation.cursor, event.seq);
  }
  return { conversation: draft.fields.seq === conversation.seq ? conversation : draft.commit(), verdict };
}
