import type { Clock } from '../src/live/clock';
import type { Socket } from '../src/live/connection';

/** A socket whose other end is the test. */
export class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((close: { code: number }) => void) | null = null;
  readonly sent: Record<string, unknown>[] = [];
  closed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.closed = true;
  }

  say(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
  }

  accept(session: unknown = {}): void {
    this.onopen?.();
    this.say({ type: 'ready', protocol: 1, session, cursor: '1.0' });
  }

  drop(code = 1006): void {
    this.onclose?.({ code });
  }
}

/** Time that stands still until the test moves it, and chance that is always the same. */
export class FakeClock implements Clock {
  private time = 0;
  private timers: { at: number; action: () => void }[] = [];
  chance = 0.5;

  now = (): number => this.time;
  random = (): number => this.chance;

  after(milliseconds: number, action: () => void): () => void {
    const timer = { at: this.time + milliseconds, action };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** A computer that sleeps: time goes on, and what was due runs once it wakes. */
  sleep(milliseconds: number): void {
    this.time += milliseconds;
  }

  advance(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (;;) {
      const due = this.timers.filter((timer) => timer.at <= end).sort((left, right) => left.at - right.at)[0];
      if (!due) break;
      this.timers = this.timers.filter((timer) => timer !== due);
      this.time = Math.max(this.time, due.at);
      due.action();
    }
    this.time = end;
  }
}
