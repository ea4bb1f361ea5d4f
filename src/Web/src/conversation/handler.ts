import type { EventEnvelope } from '../api/wire';
import type { ConversationDraft } from './draft';
import type { Fields } from './fields';

/** Folds one event of one type into the draft. Never throws for what the event carries. */
export type Handler = (draft: ConversationDraft, event: EventEnvelope, data: Fields) => void;

export type Handlers = Readonly<Record<string, Handler>>;
