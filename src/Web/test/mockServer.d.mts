import type { MockHost } from './mock/host.mjs';

export interface Mock {
  readonly host: MockHost;
  readonly url: string;
  cut(code?: number): void;
  refuse(value: boolean): void;
  stop(): Promise<void>;
}

export function startMock(options?: { port?: number; speed?: number; seeded?: boolean }): Promise<Mock>;
