import { api } from '../api/api';
import { newIdempotencyKey } from '../api/http';
import { ApiProblem, asProblem } from '../api/problem';
import type { EventEnvelope, SessionView } from '../api/wire';
import { beginningOf, seqOf } from '../conversation/cursor';
import { fold } from '../conversation/fold';
import type { Conversation } from '../conversation/model';
import { emptyConversation } from '../conversation/model';
import type { Clock } from './clock';
import type { ConnectionHandlers, ConnectionStatus, Socket } from './connection';
import { SessionConnection } from './connection';
import type { OutboxEntry, OutboxStorage } from './outbox';
import { Outbox } from './outbox';
import { fitsFrame, promptFrame, wellFormed } from './promptFrame';

export type LoadState =
  | { readonly kind: 'loading'; readonly loaded: number; readonly of: number | null }
  | { readonly kind: 'loaded' }
  | { readonly kind: 'failed'; readonly problem: ApiProblem };

/** All a page needs to show one session. Immutable; a new one for each frame in which something changed. */
export interface SessionSnapshot {
  readonly load: LoadState;
  readonly connection: ConnectionStatus;
  readonly conversation: Conversation | null;
  readonly view: SessionView | null;
  readonly outbox: readonly OutboxEntry[];
}

export interface SessionStoreDependencies {
  readonly openSocket: (session: string) => Socket;
  readonly clock: Clock;
  readonly storage: OutboxStorage;
  /** Runs an action before the next frame is painted, or soon when nothing is painted; the answer takes it back. */
  readonly nextFrame: (action: () => void) => () => void;
  readonly onUnauthorized: () => void;
  readonly onView: (view: SessionView) => void;
}

/** Refusals that say "not now": the same prompt is sent again by itself. */
const passing: ReadonlySet<string> = new Set(['dependency_unavailable', 'dependency_limited', 'host_draining']);

/** How long prompts wait for missed events, which may show that they had arrived. They need no more: the host knows a repeat by its clientId. */
const catchUpWithinMs = 10_000;

/**
 * One session as this page follows it: its history by pages, then what comes live, folded at most once per frame;
 * and the prompts that are on their way.
 */
export class SessionStore {
  readonly id: string;
  private readonly dependencies: SessionStoreDependencies;
  private readonly connection: SessionConnection;
  private readonly outbox: Outbox;
  private readonly listeners = new Set<() => void>();
  private current: SessionSnapshot;
  private pending: EventEnvelope[] = [];
  private cancelFrame: (() => void) | null = null;
  private cancelResend: () => void = () => undefined;
  /** Up to which event a connection that came back has to be followed before anything is sent over it; null once it was. */
  private catchUpTo: number | null = null;
  /** What was sent over this socket and not answered, oldest first. */
  private unanswered: string[] = [];
  /** What was the oldest of them when the host last closed a socket over a frame that it cannot read. */
  private suspect: string | null = null;
  private loading: AbortController | null = null;
  private probing = false;

  constructor(id: string, dependencies: SessionStoreDependencies) {
    this.id = id;
    this.dependencies = dependencies;
    this.outbox = new Outbox(dependencies.storage, dependencies.clock.now());
    this.connection = new SessionConnection({
      open: () => dependencies.openSocket(id),
      clock: dependencies.clock,
      handlers: this.handlers(),
    });
    this.current = {
      load: { kind: 'loading', loaded: 0, of: null }, connection: { kind: 'connecting' }, conversation: null, view: null, outbox: this.outbox.entries,
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): SessionSnapshot => this.current;

  /** Loads the history, then follows. Also the way to try again after a failed load. */
  async start(): Promise<void> {
    this.loading?.abort();
    const loading = new AbortController();
    this.loading = loading;
    this.pending = [];
    this.set({ load: { kind: 'loading', loaded: 0, of: null } });
    try {
      const conversation = await this.loadHistory(loading.signal);
      if (loading.signal.aborted) return;
      this.outbox.settleAll(conversation.clientIds);
      this.set({ load: { kind: 'loaded' }, conversation, outbox: this.outbox.entries });
      this.connection.start();
    } catch (error) {
      if (!loading.signal.aborted) this.set({ load: { kind: 'failed', problem: asProblem(error) } });
    }
  }

  stop(): void {
    this.loading?.abort();
    this.connection.stop();
    this.cancelFrame?.();
    this.cancelFrame = null;
    this.cancelResend();
  }

  setOnline(online: boolean): void {
    this.connection.setOnline(online);
  }

  hurry(): void {
    this.connection.hurry();
  }

  /** Takes a prompt; it is on its way from now on, whatever becomes of the connection or of the page. */
  prompt(text: string, retryOf: string | null = null): void {
    const entry: OutboxEntry = { clientId: newIdempotencyKey(), text: wellFormed(text), retryOf, createdAt: this.dependencies.clock.now(), refusal: null };
    this.outbox.add(entry);
    this.set({ outbox: this.outbox.entries });
    if (this.catchUpTo === null) this.send(entry);
  }

  /** Takes a refused prompt away and gives back its text. */
  discard(clientId: string): string {
    const text = this.outbox.entries.find((entry) => entry.clientId === clientId)?.text ?? '';
    this.outbox.settle(clientId);
    this.set({ outbox: this.outbox.entries });
    return text;
  }

  private async loadHistory(signal: AbortSignal): Promise<Conversation> {
    const view = await api.session(this.id);
    this.takeView(view);
    const head = seqOf(view.cursor) || null;
    let page = await api.events(this.id, null, signal);
    let conversation = emptyConversation(this.id, beginningOf(page));
    for (; !signal.aborted; page = await api.events(this.id, conversation.cursor, signal)) {
      const folded = fold(conversation, page.items);
      if (folded.verdict !== 'complete') throw new ApiProblem(0, 'history_broken', 'The session changed while it was loaded. Load it again.');
      const more = page.nextCursor !== null && folded.conversation !== conversation;
      conversation = folded.conversation;
      this.set({ load: { kind: 'loading', loaded: conversation.seq, of: head } });
      if (!more) break;
    }
    return conversation;
  }

  private handlers(): ConnectionHandlers {
    return {
      cursor: () => {
        this.foldPending();
        return this.current.conversation?.cursor ?? '';
      },
      onStatus: (connection) => {
        if (connection.kind !== 'live') this.unanswered = [];
        this.set({ connection });
      },
      onReady: (view) => {
        this.takeView(view);
        this.cancelResend();
        this.catchUpTo = seqOf(view.cursor);
        this.cancelResend = this.dependencies.clock.after(catchUpWithinMs, () => this.resend());
        this.resendWhenCaughtUp();
      },
      onEvents: (events) => {
        this.pending.push(...events);
        if (this.catchUpTo !== null && (events.at(-1)?.seq ?? 0) >= this.catchUpTo) this.foldPending();
        else this.cancelFrame ??= this.dependencies.nextFrame(() => this.foldPending());
      },
      onView: (view) => this.takeView(view),
      onAccepted: (clientId) => {
        this.answered(clientId);
        this.outbox.settle(clientId);
        this.set({ outbox: this.outbox.entries });
      },
      onRefused: (what, clientId, code, detail) => this.refused(what, clientId, code, detail),
      onUnreadable: () => this.suspectOldest(),
      onEnd: (end) => {
        if (end === 'unauthorized') this.dependencies.onUnauthorized();
        else if (end === 'notFound') this.set({ load: { kind: 'failed', problem: sessionGone() } });
        else void this.start();
      },
      onUnanswered: () => void this.probe(),
    };
  }

  private foldPending(): void {
    this.cancelFrame?.();
    this.cancelFrame = null;
    const conversation = this.current.conversation;
    if (this.pending.length === 0 || !conversation) return;
    const events = this.pending;
    this.pending = [];
    const folded = fold(conversation, events);
    if (folded.conversation.clientIds !== conversation.clientIds) this.outbox.settleAll(folded.conversation.clientIds);
    this.set({ conversation: folded.conversation, outbox: this.outbox.entries });
    if (folded.verdict === 'gap') return this.connection.restart();
    this.resendWhenCaughtUp();
  }

  private resendWhenCaughtUp(): void {
    if (this.catchUpTo !== null && (this.current.conversation?.seq ?? 0) >= this.catchUpTo) this.resend();
  }

  /** Sends what waits, oldest first, except what the host may no longer know for a repeat. */
  private resend(): void {
    this.cancelResend();
    this.catchUpTo = null;
    this.outbox.expire(this.dependencies.clock.now());
    this.set({ outbox: this.outbox.entries });
    for (const entry of this.outbox.unsent) this.send(entry);
  }

  private refused(what: string, clientId: string | undefined, code: string, detail: string): void {
    if (what !== 'prompt' || clientId === undefined) return;
    this.answered(clientId);
    if (passing.has(code)) {
      this.cancelResend();
      this.cancelResend = this.dependencies.clock.after(1000 + this.dependencies.clock.random() * 4000, () => this.resend());
      return;
    }
    this.refuse(clientId, code, detail);
  }

  /**
   * The oldest prompt without an answer is what the host could not read, or its answer was lost: it is sent once more, after
   * the missed events, and refused if the same befalls it, so that it neither blocks what is behind it nor goes round for ever.
   */
  private suspectOldest(): void {
    const oldest = this.unanswered[0] ?? null;
    if (oldest !== null && oldest === this.suspect) {
      this.refuse(oldest, 'not_readable', 'The host cannot read this message: it closed the connection both times it was sent. Change it and send it again.');
    }
    this.suspect = oldest;
  }

  private answered(clientId: string): void {
    this.unanswered = this.unanswered.filter((other) => other !== clientId);
  }

  private refuse(clientId: string, code: string, detail: string): void {
    this.outbox.refuse(clientId, code, detail);
    this.set({ outbox: this.outbox.entries });
  }

  private send(entry: OutboxEntry): void {
    const frame = promptFrame(entry);
    if (!fitsFrame(frame)) return this.refuse(entry.clientId, 'prompt_too_large', 'Too many of its characters are invisible control characters, which take up much more room on the way. Shorten it, or put the long part in a file of the repository.');
    if (this.connection.send(frame) && !this.unanswered.includes(entry.clientId)) this.unanswered.push(entry.clientId);
  }

  /** A socket that never opened does not say why: an HTTP answer does. */
  private async probe(): Promise<void> {
    if (this.probing) return;
    this.probing = true;
    try {
      this.takeView(await api.session(this.id));
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status === 404) {
        this.connection.stop();
        this.set({ load: { kind: 'failed', problem: sessionGone() } });
      }
    } finally {
      this.probing = false;
    }
  }

  private takeView(view: SessionView): void {
    this.set({ view });
    this.dependencies.onView(view);
  }

  private set(change: Partial<SessionSnapshot>): void {
    this.current = { ...this.current, ...change };
    for (const listener of this.listeners) listener();
  }
}

function sessionGone(): ApiProblem {
  return new ApiProblem(404, 'session_not_found', 'There is no such session, or it belongs to an organization you are not in.');
}
