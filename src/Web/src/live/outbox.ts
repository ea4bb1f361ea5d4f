import { isRecord } from '../conversation/fields';

/** A prompt that the host has not yet accepted. Its `clientId` makes sending it again harmless. */
export interface OutboxEntry {
  readonly clientId: string;
  readonly text: string;
  readonly retryOf: string | null;
  readonly createdAt: number;
  readonly refusal: { readonly code: string; readonly detail: string } | null;
}

/** Where entries survive a reload. */
export interface OutboxStorage {
  read(): string | null;
  write(text: string | null): void;
}

// The host knows a clientId for 24 hours; a prompt older than that is never sent again by itself.
const resendForMs = 23 * 3_600_000;

/** Prompts on their way, per session; kept until the host has accepted them, or refused and the person has seen it. */
export class Outbox {
  private readonly storage: OutboxStorage;
  private list: readonly OutboxEntry[];

  constructor(storage: OutboxStorage, now: number) {
    this.storage = storage;
    this.list = parse(storage.read());
    this.expire(now);
  }

  get entries(): readonly OutboxEntry[] {
    return this.list;
  }

  /** What is to be sent, oldest first. */
  get unsent(): readonly OutboxEntry[] {
    return this.list.filter((entry) => entry.refusal === null);
  }

  add(entry: OutboxEntry): void {
    this.save([...this.list, entry]);
  }

  /** The host has it. */
  settle(clientId: string): void {
    if (this.list.some((entry) => entry.clientId === clientId)) this.save(this.list.filter((entry) => entry.clientId !== clientId));
  }

  /** Everything the session's own events show as received. */
  settleAll(clientIds: ReadonlySet<string>): void {
    if (this.list.some((entry) => clientIds.has(entry.clientId))) this.save(this.list.filter((entry) => !clientIds.has(entry.clientId)));
  }

  /** Takes out of what is to be sent what has become too old for it; asked before each time that something is sent again. */
  expire(now: number): void {
    const isOld = (entry: OutboxEntry) => entry.refusal === null && now - entry.createdAt >= resendForMs;
    if (this.list.some(isOld)) this.save(this.list.map((entry) => (isOld(entry) ? expired(entry) : entry)));
  }

  refuse(clientId: string, code: string, detail: string): void {
    this.save(this.list.map((entry) => (entry.clientId === clientId ? { ...entry, refusal: { code, detail } } : entry)));
  }

  private save(list: readonly OutboxEntry[]): void {
    this.list = list;
    this.storage.write(list.length === 0 ? null : JSON.stringify(list));
  }
}

function expired(entry: OutboxEntry): OutboxEntry {
  return { ...entry, refusal: { code: 'not_sent', detail: 'This was written more than a day ago, and the host has not confirmed it. Send it again if you still want it.' } };
}

function parse(text: string | null): readonly OutboxEntry[] {
  if (text === null) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter(isEntry) : [];
  } catch {
    return [];
  }
}

function isEntry(value: unknown): value is OutboxEntry {
  return isRecord(value) && typeof value['clientId'] === 'string' && typeof value['text'] === 'string' && typeof value['createdAt'] === 'number';
}
