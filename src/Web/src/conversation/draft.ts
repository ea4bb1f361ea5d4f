import type { Conversation, Item, ItemList, PermissionItem, Turn } from './model';
import { isEnded } from './model';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Items being changed: copied once per batch, however many events touch them. */
class ItemsDraft {
  private readonly items: Item[];
  private readonly places: Map<string, number>;

  constructor(base: ItemList) {
    this.items = base.items.slice();
    this.places = new Map(base.places);
  }

  get(key: string): Item | undefined {
    const place = this.places.get(key);
    return place === undefined ? undefined : this.items[place];
  }

  put(item: Item): void {
    const place = this.places.get(item.key);
    if (place === undefined) {
      this.places.set(item.key, this.items.length);
      this.items.push(item);
    } else {
      this.items[place] = item;
    }
  }

  all(): readonly Item[] {
    return this.items;
  }

  commit(): ItemList {
    return { items: this.items, places: this.places };
  }
}

/** One turn being changed. */
export class TurnDraft {
  readonly fields: Mutable<Turn>;
  private content: ItemsDraft | null = null;

  constructor(base: Turn) {
    this.fields = { ...base };
  }

  get items(): ItemsDraft {
    this.content ??= new ItemsDraft(this.fields.content);
    return this.content;
  }

  commit(): Turn {
    return this.content ? { ...this.fields, content: this.content.commit() } : this.fields;
  }
}

/**
 * The next conversation while a batch of events is folded into it. What it was made from is never changed; what the
 * batch does not touch is shared with it.
 */
export class ConversationDraft {
  readonly fields: Mutable<Conversation>;
  private readonly touched = new Map<string, TurnDraft>();
  private looseDraft: ItemsDraft | null = null;
  private timelineDraft: string[] | null = null;
  private clientIdsDraft: Set<string> | null = null;

  constructor(base: Conversation) {
    this.fields = { ...base };
  }

  get loose(): ItemsDraft {
    this.looseDraft ??= new ItemsDraft(this.fields.loose);
    return this.looseDraft;
  }

  turn(id: string | undefined): TurnDraft | null {
    if (id === undefined) return null;
    const known = this.touched.get(id);
    if (known) return known;
    const base = this.fields.turns.get(id);
    if (!base) return null;
    const draft = new TurnDraft(base);
    this.touched.set(id, draft);
    return draft;
  }

  addTurn(turn: Turn): void {
    this.touched.set(turn.id, new TurnDraft(turn));
  }

  rememberClientId(clientId: string): void {
    this.clientIdsDraft ??= new Set(this.fields.clientIds);
    this.clientIdsDraft.add(clientId);
  }

  /** Where an event's items belong: its message, else the one that runs, else what waits for the next one. */
  place(messageId: string | undefined): ItemsDraft {
    return (this.turn(messageId) ?? this.turn(this.fields.active ?? undefined))?.items ?? this.loose;
  }

  /** Gives a message its place in the conversation, with what happened since the last one; once, before its status changes. */
  begin(turn: TurnDraft): void {
    const id = turn.fields.id;
    if (turn.fields.dispatchedAt !== null || isEnded(turn.fields.status)) return;
    this.fields.queue = this.fields.queue.filter((waiting) => waiting !== id);
    this.timelineDraft ??= this.fields.timeline.slice();
    this.timelineDraft.push(id);
    for (const item of this.loose.all()) turn.items.put(item);
    this.looseDraft = new ItemsDraft({ items: [], places: new Map() });
  }

  /** Changes an item wherever it is; false when there is none of that key. */
  change(key: string, messageId: string | undefined, update: (item: Item) => Item): boolean {
    for (const list of this.candidates(messageId)) {
      const item = list.get(key);
      if (!item) continue;
      list.put(update(item));
      return true;
    }
    return false;
  }

  openPermission(item: PermissionItem): void {
    this.fields.openPermissions = [...this.fields.openPermissions, item];
  }

  changePermission(id: string, change: (item: PermissionItem) => PermissionItem): void {
    this.fields.openPermissions = this.fields.openPermissions.map((item) => (item.id === id ? change(item) : item));
  }

  closePermission(id: string): void {
    this.fields.openPermissions = this.fields.openPermissions.filter((item) => item.id !== id);
  }

  commit(): Conversation {
    if (this.touched.size > 0) {
      const turns = new Map(this.fields.turns);
      for (const [id, draft] of this.touched) turns.set(id, draft.commit());
      this.fields.turns = turns;
    }
    if (this.looseDraft) this.fields.loose = this.looseDraft.commit();
    if (this.timelineDraft) this.fields.timeline = this.timelineDraft;
    if (this.clientIdsDraft) this.fields.clientIds = this.clientIdsDraft;
    return this.fields;
  }

  private *candidates(messageId: string | undefined): Generator<ItemsDraft> {
    const named = this.turn(messageId);
    if (named) yield named.items;
    const active = this.turn(this.fields.active ?? undefined);
    if (active && active !== named) yield active.items;
    yield this.loose;
    const last = this.turn((this.timelineDraft ?? this.fields.timeline).at(-1));
    if (last && last !== active && last !== named) yield last.items;
  }
}
