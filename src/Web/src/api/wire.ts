/** What the host says over HTTP and WebSocket (docs/protocol.md, sections 1 to 3). Fields not named here are ignored. */

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface PrincipalView {
  readonly kind: string;
  readonly id: string;
  readonly displayName: string;
}

export interface Repository {
  readonly url: string;
  readonly branch?: string | null;
}

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly costUsd: number;
}

export type MessageStatus = 'queued' | 'dispatched' | 'running' | 'completed' | 'failed' | 'cancelled';

export type SandboxStatus =
  | 'none' | 'requested' | 'booting' | 'connected' | 'ready' | 'silent' | 'stopping' | 'stopped' | 'lost';

export interface MessageView {
  readonly id: string;
  readonly status: MessageStatus;
  readonly text: string;
  readonly failure?: { readonly code: string; readonly detail: string } | null;
}

export interface AgentVersion {
  readonly name: string;
  readonly version: string;
}

export interface SessionView {
  readonly id: string;
  readonly title: string;
  readonly status: 'created' | 'active' | 'archived';
  readonly model: string;
  readonly agent: string;
  readonly permissions: 'auto' | 'ask';
  readonly repository: Repository | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly createdBy: PrincipalView;
  readonly cursor: string;
  readonly sandbox: { readonly id: string | null; readonly status: SandboxStatus; readonly reason: string | null };
  readonly messages: readonly MessageView[];
  readonly permissionsOpen: readonly unknown[];
  readonly usage: Usage;
}

export interface EventEnvelope {
  readonly cursor: string;
  /** The first of the events that this one stands for, when they were merged. */
  readonly from?: number;
  readonly seq: number;
  readonly at: string;
  readonly type: string;
  readonly messageId?: string;
  readonly data: unknown;
}

export interface EventPage extends Page<EventEnvelope> {
  readonly cursor: string;
}

export interface Organization {
  readonly id: string;
  readonly name: string;
}

export interface Membership extends Organization {
  readonly role: string;
}

export interface Me {
  readonly principal: PrincipalView;
  readonly organization: Organization;
  readonly role: string;
  readonly organizations: readonly Membership[];
}

export interface Provider {
  readonly name: string;
  readonly displayName: string;
  readonly secretName: string | null;
  readonly ready: boolean;
  readonly isDemo: boolean;
}

export interface Model {
  readonly model: string;
  readonly displayName: string;
  readonly provider: string;
  readonly contextTokens: number | null;
  readonly outputTokens: number | null;
  readonly inputPrice: number | null;
  readonly outputPrice: number | null;
  readonly isDemo: boolean;
  readonly ready: boolean;
}

export interface SecretInfo {
  readonly name: string;
  /** Its last four characters; null when it is too short to show any. */
  readonly hint: string | null;
  readonly updatedAt: string;
}

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly hint: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

export interface NewApiKey extends ApiKey {
  readonly key: string;
}

export interface NewSession {
  readonly model: string;
  readonly title?: string;
  readonly repository?: { readonly url: string; readonly branch?: string };
  readonly permissions?: 'auto' | 'ask';
  readonly prompt?: string;
}

export type PermissionDecision = 'once' | 'session' | 'reject';

export type ClientFrame =
  | { readonly type: 'subscribe'; readonly after?: string }
  | { readonly type: 'prompt'; readonly clientId: string; readonly text: string; readonly model?: string; readonly retryOf?: string }
  | { readonly type: 'ping'; readonly id?: string };

export type ServerFrame =
  | { readonly type: 'ready'; readonly protocol: number; readonly session: SessionView; readonly cursor: string }
  | { readonly type: 'events'; readonly events: readonly EventEnvelope[] }
  | { readonly type: 'view'; readonly session: SessionView }
  | { readonly type: 'accepted'; readonly clientId: string; readonly messageId: string; readonly position: number }
  | { readonly type: 'refused'; readonly for: string; readonly clientId?: string; readonly code: string; readonly detail: string }
  | { readonly type: 'restarting'; readonly returnAfterMs: number }
  | { readonly type: 'done' | 'pong' };
