export interface MockEvent {
  readonly type: string;
  readonly data: Record<string, unknown>;
}

export interface MockSession {
  readonly id: string;
  readonly title: string;
  readonly events: readonly MockEvent[];
  readonly messages: readonly { readonly id: string; readonly text: string; readonly status: string }[];
  archived: boolean;
  emit(type: string, data?: Record<string, unknown>, messageId?: string): void;
}

export class MockHost {
  readonly sessions: readonly MockSession[];
  readonly secrets: ReadonlyMap<string, unknown>;
  signedIn: boolean;
  create(settings: Record<string, unknown>, speed?: number): MockSession;
  prompt(session: MockSession, text: string): { readonly messageId: string };
  finished(settings: Record<string, unknown>, hoursAgo: number): Promise<MockSession>;
}
