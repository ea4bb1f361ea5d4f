import { inOrganization } from '../api/organization';
import type { Socket } from './connection';

/** The browser's WebSocket as the connection knows sockets. */
export class BrowserSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((close: { code: number }) => void) | null = null;
  private readonly socket: WebSocket;

  constructor(session: string) {
    const origin = location.origin.replace(/^http/, 'ws');
    this.socket = new WebSocket(inOrganization(`${origin}/v1/sessions/${encodeURIComponent(session)}/ws`), 'coordinator.v1');
    this.socket.onopen = () => this.onopen?.();
    this.socket.onmessage = (message) => this.onmessage?.(message);
    this.socket.onclose = (close) => this.onclose?.(close);
  }

  send(text: string): void {
    this.socket.send(text);
  }

  close(): void {
    this.socket.close();
  }
}
