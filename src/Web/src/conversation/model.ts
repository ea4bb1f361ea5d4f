import type { AgentVersion, MessageStatus, PermissionDecision, PrincipalView, Repository, SandboxStatus, Usage } from '../api/wire';
import { seqOf } from './cursor';

/** A conversation as its events tell it. Everything is immutable: what did not change keeps its identity. */
export interface Conversation {
  readonly cursor: string;
  readonly seq: number;
  readonly info: SessionInfo;
  readonly turns: ReadonlyMap<string, Turn>;
  /** Messages that began, or ended without beginning, in that order. */
  readonly timeline: readonly string[];
  /** Messages that wait, in the order they will run. */
  readonly queue: readonly string[];
  /** The message the agent works on. */
  readonly active: string | null;
  /** What happened while no message ran; the next message to begin takes it over. */
  readonly loose: ItemList;
  readonly sandbox: SandboxState;
  readonly openPermissions: readonly PermissionItem[];
  readonly environment: Environment | null;
  readonly usage: Usage;
  /** The ids under which this conversation's clients sent their messages. */
  readonly clientIds: ReadonlySet<string>;
}

export interface SessionInfo {
  readonly id: string;
  readonly title: string;
  readonly model: string;
  readonly agent: string;
  readonly permissions: 'auto' | 'ask';
  readonly repository: Repository | null;
  readonly createdBy: PrincipalView | null;
  readonly createdAt: string | null;
  readonly archived: { readonly by: string | null; readonly at: string } | null;
}

export interface SandboxState {
  readonly id: string | null;
  readonly status: SandboxStatus;
  readonly reason: string | null;
  readonly agent: AgentVersion | null;
}

/** Items in order, and where each one is. */
export interface ItemList {
  readonly items: readonly Item[];
  readonly places: ReadonlyMap<string, number>;
}

/** One message of a person and everything the agent did about it. */
export interface Turn {
  readonly id: string;
  readonly text: string;
  readonly model: string | null;
  readonly by: PrincipalView | null;
  readonly retryOf: string | null;
  /** The message that retries this one. */
  readonly retriedBy: string | null;
  readonly status: MessageStatus;
  readonly cancelling: boolean;
  readonly queuedAt: string;
  readonly dispatchedAt: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  readonly content: ItemList;
  readonly files: readonly FileChange[];
  readonly artifacts: readonly Artifact[];
  readonly retrying: { readonly attempt: number; readonly reason: string; readonly nextAt: string | null } | null;
  readonly usage: Usage;
  readonly failure: { readonly code: string; readonly detail: string; readonly retryable: boolean } | null;
  readonly cancelReason: string | null;
}

export type Item = TextItem | ToolItem | PlanItem | PermissionItem | BootItem | EnvironmentItem | NoticeItem;

export interface TextItem {
  readonly kind: 'text' | 'reasoning';
  readonly key: string;
  readonly text: string;
  readonly at: string;
}

export type ToolStatus = 'running' | 'completed' | 'failed' | 'ended';

export interface ToolItem {
  readonly kind: 'tool';
  readonly key: string;
  readonly tool: string;
  readonly title: string | null;
  readonly input: Readonly<Record<string, unknown>>;
  readonly status: ToolStatus;
  readonly output: string;
  /** Bytes of the whole output; null when nobody knows, as when the agent itself left a part out. */
  readonly outputLength: number | null;
  readonly truncated: boolean;
  /** The SHA-256 of the artifact that holds the whole output, or what the agent kept of it. */
  readonly artifact: string | null;
  readonly exitCode: number | null;
  readonly error: string | null;
  readonly startedAt: string;
  readonly durationMs: number | null;
}

export interface PlanEntry {
  readonly content: string;
  readonly status: 'pending' | 'inProgress' | 'completed' | 'cancelled';
  readonly priority: string | null;
}

export interface PlanItem {
  readonly kind: 'plan';
  readonly key: string;
  readonly entries: readonly PlanEntry[];
}

export interface PermissionItem {
  readonly kind: 'permission';
  readonly key: string;
  readonly id: string;
  readonly permission: string;
  readonly patterns: readonly string[];
  readonly title: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly expiresAt: string | null;
  readonly answer: PermissionAnswer | null;
}

export interface PermissionAnswer {
  readonly decision: PermissionDecision;
  readonly by: string | null;
  readonly how: 'person' | 'grant' | 'expired' | 'ended';
  readonly note: string | null;
}

export type PhaseStatus = 'started' | 'progress' | 'completed' | 'failed' | 'skipped';

export interface BootPhase {
  readonly phase: string;
  readonly status: PhaseStatus;
  readonly startedAt: string;
  readonly elapsedMs: number | null;
  readonly detail: string | null;
  readonly output: string;
}

export interface BootItem {
  readonly kind: 'boot';
  readonly key: string;
  readonly sandboxId: string;
  readonly status: 'starting' | 'ready' | 'failed' | 'stopped';
  readonly startedAt: string;
  readonly elapsedMs: number | null;
  readonly phases: readonly BootPhase[];
  readonly agent: AgentVersion | null;
  readonly resumed: boolean;
}

export interface Environment {
  readonly packageManager: string | null;
  readonly packageManagers: readonly string[];
  readonly fileCount: number | null;
  readonly commands: readonly { readonly name: string; readonly command: string }[];
  readonly languages: readonly { readonly name: string; readonly files: number }[];
  readonly runtimes: readonly { readonly name: string; readonly version: string | null }[];
  readonly packages: readonly { readonly path: string; readonly name: string }[];
  readonly environmentVariables: readonly string[];
  readonly hasDockerfile: boolean;
  readonly hasDevcontainer: boolean;
  readonly commit: string | null;
}

export interface EnvironmentItem {
  readonly kind: 'environment';
  readonly key: string;
  readonly environment: Environment;
  readonly changes: readonly string[];
}

export interface NoticeItem {
  readonly kind: 'notice';
  readonly key: string;
  readonly tone: 'info' | 'warning';
  readonly text: string;
  readonly detail: string | null;
  readonly at: string;
}

export interface FileChange {
  readonly path: string;
  readonly change: 'created' | 'modified' | 'deleted';
}

export interface Artifact {
  readonly sha256: string;
  readonly name: string;
  readonly mediaType: string | null;
  readonly size: number | null;
}

export const noUsage: Usage = {
  inputTokens: 0, outputTokens: 0, reasoningTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0,
};

export const noItems: ItemList = { items: [], places: new Map() };

/** A conversation of which nothing has been read yet; `origin` is the cursor before the first event of it that is kept. */
export function emptyConversation(id: string, origin: string): Conversation {
  return {
    cursor: origin,
    seq: seqOf(origin),
    info: {
      id, title: '', model: '', agent: '', permissions: 'auto', repository: null, createdBy: null, createdAt: null, archived: null,
    },
    turns: new Map(),
    timeline: [],
    queue: [],
    active: null,
    loose: noItems,
    sandbox: { id: null, status: 'none', reason: null, agent: null },
    openPermissions: [],
    environment: null,
    usage: noUsage,
    clientIds: new Set(),
  };
}

export function isEnded(status: MessageStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}
