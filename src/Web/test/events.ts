import type { EventEnvelope } from '../src/api/wire';
import { fold } from '../src/conversation/fold';
import type { Conversation, Item, Turn } from '../src/conversation/model';
import { emptyConversation } from '../src/conversation/model';

/** Writes a session's history as the host would: sequence numbers without gaps, time that only goes forward. */
export class History {
  readonly events: EventEnvelope[] = [];
  private readonly incarnation: string;

  constructor(incarnation = '1') {
    this.incarnation = incarnation;
  }

  add(type: string, data: Record<string, unknown> = {}, messageId?: string): this {
    const seq = this.events.length + 1;
    const envelope = { cursor: `${this.incarnation}.${seq}`, seq, at: new Date(Date.UTC(2026, 0, 2) + seq * 10).toISOString(), type, data };
    this.events.push(messageId === undefined ? envelope : { ...envelope, messageId });
    return this;
  }

  created(): this {
    return this.add('session.created', {
      title: 'Fix the build', model: 'demo/scripted', agent: 'opencode', permissions: 'auto', repository: null,
      createdBy: { kind: 'user', id: 'usr_1', displayName: 'Ada' },
    });
  }

  queued(id: string, text = 'do it', extra: Record<string, unknown> = {}): this {
    return this.add('message.queued', { text, position: 0, model: 'demo/scripted', by: { kind: 'user', id: 'usr_1', displayName: 'Ada' }, ...extra }, id);
  }

  begun(id: string): this {
    return this.add('message.dispatched', { sandboxId: 'box_1', generation: 1 }, id).add('message.started', {}, id);
  }

  text(id: string, offset: number, text: string, part = 'p1'): this {
    return this.add('agent.text', { part, offset, text }, id);
  }

  completed(id: string): this {
    return this.add('message.completed', { usage: usage(10, 5), durationMs: 1200 }, id);
  }
}

export function usage(inputTokens: number, outputTokens: number) {
  return { inputTokens, outputTokens, reasoningTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0.01 };
}

export function conversationOf(history: History): Conversation {
  return fold(emptyConversation('ses_1', '1.0'), history.events).conversation;
}

export function turnOf(conversation: Conversation, id: string): Turn {
  const turn = conversation.turns.get(id);
  if (!turn) throw new Error(`There is no message ${id}.`);
  return turn;
}

type ItemOf<K, I = Item> = I extends { readonly kind: infer Kind } ? (K extends Kind ? I : never) : never;

export function itemOf<K extends Item['kind']>(conversation: Conversation, id: string, kind: K): ItemOf<K> {
  const item = turnOf(conversation, id).content.items.find((candidate) => candidate.kind === kind);
  if (!item) throw new Error(`Message ${id} holds no ${kind}.`);
  return item as ItemOf<K>;
}

/** A small generator of repeatable chance. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  const inner = value instanceof Map || value instanceof Set ? value.values() : Object.values(value);
  for (const part of inner) deepFreeze(part);
  return value;
}
