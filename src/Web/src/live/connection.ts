import type { ClientFrame, EventEnvelope, ServerFrame, SessionView } from '../api/wire';
import { promptReconnectDelay, reconnectDelay } from './backoff';
import type { Clock } from './clock';

/** The part of a WebSocket that is used; tests bring their own. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: ((close: { code: number }) => void) | null;
  send(text: string): void;
  close(): void;
}

export type ConnectionStatus =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'reconnecting'; readonly attempt: number; readonly retryAt: number }
  | { readonly kind: 'offline' }
  | { readonly kind: 'closed' };

/** Why a connection will not come back by itself. */
export type ConnectionEnd = 'unauthorized' | 'notFound' | 'cursorInvalid';

export interface ConnectionHandlers {
  /** The cursor to follow from, asked at every attempt: the last event that was folded. */
  cursor(): string;
  onStatus(status: ConnectionStatus): void;
  /** The socket stands and has been answered; what waits to be sent may go now. */
  onReady(session: SessionView): void;
  onEvents(events: readonly EventEnvelope[]): void;
  onView(session: SessionView): void;
  onAccepted(clientId: string, messageId: string): void;
  onRefused(what: string, clientId: string | undefined, code: string, detail: string): void;
  /** The host closed the socket over a frame that it cannot read; the same frame would only do so again. */
  onUnreadable(): void;
  onEnd(end: ConnectionEnd): void;
  /** An attempt failed before the host answered: a browser does not say why, so the app asks over HTTP. */
  onUnanswered(): void;
}

export interface ConnectionOptions {
  readonly open: () => Socket;
  readonly clock: Clock;
  readonly handlers: ConnectionHandlers;
}

const readyWithinMs = 10_000;
/** A host that hangs tells nobody: its pages are to come to the next one about when its peers take it for dead, which is after 7.5 s by default. */
const quietMs = 4_000;
const answerWithinMs = 4_000;

const ends: Readonly<Record<number, ConnectionEnd>> = { 4401: 'unauthorized', 4404: 'notFound', 4410: 'cursorInvalid' };
const unreadableFrame = 4400;
const returnAtOnce: ReadonlySet<number> = new Set([1012, 4408]);

/**
 * Follows one session and keeps following it: whatever ends the socket, it comes back and resumes after the last event
 * it was told of, until it is closed or the host says that it need not come back.
 */
export class SessionConnection {
  private readonly open: () => Socket;
  private readonly clock: Clock;
  private readonly handlers: ConnectionHandlers;
  private socket: Socket | null = null;
  private answered = false;
  private attempt = 0;
  /** How many sockets in a row were closed over a frame: an answered subscription is no sign that the next one will last. */
  private unreadable = 0;
  /** What a host that restarts asked for; heeded once. */
  private returnAfter: number | null = null;
  private online = true;
  private stopped = true;
  private cancelTimer: () => void = () => undefined;

  constructor(options: ConnectionOptions) {
    this.open = options.open;
    this.clock = options.clock;
    this.handlers = options.handlers;
  }

  start(): void {
    this.stopped = false;
    this.attempt = 0;
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.abandon();
    this.handlers.onStatus({ kind: 'closed' });
  }

  /** Leaves the socket and resumes at once from the current cursor: something was missing in what came. */
  restart(): void {
    if (this.stopped) return;
    this.abandon();
    this.connect();
  }

  /** Tries now instead of later; nothing when it is connected. */
  hurry(): void {
    if (this.stopped || this.socket || !this.online) return;
    this.attempt = 0;
    this.connect();
  }

  /** What the browser knows of its network. */
  setOnline(online: boolean): void {
    if (this.online === online) return;
    this.online = online;
    if (this.stopped) return;
    if (online) {
      this.attempt = 0;
      this.connect();
    } else {
      this.abandon();
      this.handlers.onStatus({ kind: 'offline' });
    }
  }

  /** False when there is no connection that would take it; the caller keeps it until `onReady`. */
  send(frame: ClientFrame): boolean {
    if (!this.socket || !this.answered) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  private connect(): void {
    this.cancelTimer();
    if (!this.online) return this.handlers.onStatus({ kind: 'offline' });
    if (this.attempt === 0) this.handlers.onStatus({ kind: 'connecting' });
    const socket = this.open();
    this.socket = socket;
    this.answered = false;
    socket.onopen = () => this.subscribe(socket);
    socket.onmessage = (message) => this.receive(socket, message.data);
    socket.onclose = (close) => this.closed(socket, close.code);
    this.watch(readyWithinMs, () => this.lose(socket));
  }

  private subscribe(socket: Socket): void {
    if (socket !== this.socket) return;
    const frame: ClientFrame = { type: 'subscribe', after: this.handlers.cursor() };
    socket.send(JSON.stringify(frame));
  }

  private receive(socket: Socket, data: unknown): void {
    if (socket !== this.socket) return;
    this.watch(quietMs, () => this.askAlive(socket));
    const frame = parseFrame(data);
    if (frame) this.handle(frame);
  }

  private handle(frame: ServerFrame): void {
    switch (frame.type) {
      case 'ready':
        this.answered = true;
        this.attempt = 0;
        this.handlers.onStatus({ kind: 'live' });
        return this.handlers.onReady(frame.session);
      case 'events':
        return this.handlers.onEvents(frame.events);
      case 'view':
        return this.handlers.onView(frame.session);
      case 'restarting':
        this.returnAfter = Math.min(Math.max(Number(frame.returnAfterMs) || 0, 0), 60_000);
        return;
      case 'accepted':
        return this.handlers.onAccepted(frame.clientId, frame.messageId);
      case 'refused':
        return this.handlers.onRefused(frame.for, frame.clientId, frame.code, frame.detail);
      default:
        return;
    }
  }

  /** Nothing was heard for a while: asks, and takes no answer for a dead connection. */
  private askAlive(socket: Socket): void {
    if (socket !== this.socket) return;
    const ping: ClientFrame = { type: 'ping' };
    socket.send(JSON.stringify(ping));
    this.watch(answerWithinMs, () => this.lose(socket));
  }

  private lose(socket: Socket): void {
    if (socket !== this.socket) return;
    const answered = this.answered;
    this.abandon();
    this.retry(reconnectDelay(this.attempt, this.clock.random), answered);
  }

  private closed(socket: Socket, code: number): void {
    if (socket !== this.socket || this.stopped) return;
    const answered = this.answered;
    this.abandon();
    const end = ends[code];
    if (end) {
      this.stopped = true;
      this.handlers.onStatus({ kind: 'closed' });
      return this.handlers.onEnd(end);
    }
    this.unreadable = code === unreadableFrame ? this.unreadable + 1 : 0;
    this.attempt = Math.max(this.attempt, this.unreadable);
    if (code === unreadableFrame) this.handlers.onUnreadable();
    const atOnce = returnAtOnce.has(code) && this.attempt === 0;
    const asked = atOnce ? this.returnAfter : null;
    this.returnAfter = null;
    this.retry(asked ?? (atOnce ? promptReconnectDelay(this.clock.random) : reconnectDelay(this.attempt, this.clock.random)), answered);
  }

  private retry(delay: number, answered: boolean): void {
    this.attempt += 1;
    this.handlers.onStatus({ kind: 'reconnecting', attempt: this.attempt, retryAt: this.clock.now() + delay });
    this.cancelTimer = this.clock.after(delay, () => this.connect());
    if (!answered) this.handlers.onUnanswered();
  }

  private watch(milliseconds: number, action: () => void): void {
    this.cancelTimer();
    this.cancelTimer = this.clock.after(milliseconds, action);
  }

  private abandon(): void {
    this.cancelTimer();
    const socket = this.socket;
    this.socket = null;
    this.answered = false;
    if (!socket) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }
}

function parseFrame(data: unknown): ServerFrame | null {
  if (typeof data !== 'string') return null;
  try {
    const frame: unknown = JSON.parse(data);
    return typeof frame === 'object' && frame !== null && 'type' in frame ? (frame as ServerFrame) : null;
  } catch {
    return null;
  }
}
