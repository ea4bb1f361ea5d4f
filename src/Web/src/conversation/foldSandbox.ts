import type { EventEnvelope, SandboxStatus } from '../api/wire';
import type { ConversationDraft } from './draft';
import type { Fields } from './fields';
import type { Handlers } from './handler';
import type { BootItem, BootPhase, PhaseStatus } from './model';

/** The life of the session's sandbox, and how its boot goes on. */
export const sandboxHandlers: Handlers = {
  'sandbox.requested': (draft, event, data) => {
    setSandbox(draft, data, 'requested');
    draft.place(event.messageId).put(newBoot(idOf(draft, data), event));
  },

  'sandbox.booting': (draft, event, data) => {
    setSandbox(draft, data, 'booting');
    changeBoot(draft, event, data, (boot) => withPhase(boot, event, data));
  },

  'sandbox.connected': (draft, _event, data) => {
    const returns = draft.fields.sandbox.status === 'silent' && draft.fields.sandbox.agent !== null;
    setSandbox(draft, data, returns ? 'ready' : 'connected');
  },

  'sandbox.ready': (draft, event, data) => {
    const agent = data.agent('agent');
    setSandbox(draft, data, 'ready');
    draft.fields.sandbox = { ...draft.fields.sandbox, agent };
    changeBoot(draft, event, data, (boot) => ({
      ...boot, status: 'ready', agent, resumed: data.boolean('resumed'), elapsedMs: data.number('elapsedMs'),
    }));
  },

  'sandbox.silent': (draft, _event, data) => setSandbox(draft, data, 'silent'),

  'sandbox.stopping': (draft, event, data) => {
    setSandbox(draft, data, 'stopping');
    if (data.string('reason') === 'bootFailed') endBoot(draft, event, data, 'failed');
  },

  'sandbox.stopped': (draft, event, data) => {
    const reason = data.string('reason');
    const failed = reason === 'bootFailed';
    const told = failed && draft.fields.sandbox.status === 'stopping';
    setSandbox(draft, data, 'stopped');
    const known = endBoot(draft, event, data, failed ? 'failed' : 'stopped');
    if (failed && (known || told)) return;
    notice(draft, event, data, reason === 'agentFailed' ? 'warning' : 'info', stopTexts[reason] ?? 'The sandbox was stopped.');
  },

  'sandbox.lost': (draft, event, data) => {
    setSandbox(draft, data, 'lost');
    endBoot(draft, event, data, 'failed');
    notice(draft, event, data, 'warning', lossTexts[data.string('reason')] ?? 'The sandbox was lost.');
  },
};

const stopTexts: Readonly<Record<string, string>> = {
  idle: 'The sandbox was stopped because nothing ran in it for a while. Your next message starts it again.',
  archived: 'The sandbox was stopped because the session was archived.',
  bootFailed: 'The sandbox could not be started.',
  agentFailed: 'The sandbox was stopped because the agent in it failed. Your next message starts a new one.',
  cancelled: 'The sandbox was stopped.',
  shutdown: 'The sandbox shut down. Your next message starts it again.',
  replaced: 'The sandbox was replaced by a new one.',
  keyLost: 'The sandbox was stopped because the host lost the key it was started under. Your next message starts a new one.',
};

const lossTexts: Readonly<Record<string, string>> = {
  exited: 'The sandbox ended unexpectedly.',
  outOfMemory: 'The sandbox ran out of memory.',
  notFound: 'The sandbox no longer exists at its provider.',
  unreachable: 'The sandbox can no longer be reached.',
};

/** An event that names no sandbox is about the one at hand. */
function idOf(draft: ConversationDraft, data: Fields): string {
  return data.optionalString('sandboxId') ?? draft.fields.sandbox.id ?? '';
}

function setSandbox(draft: ConversationDraft, data: Fields, status: SandboxStatus): void {
  const id = idOf(draft, data) || null;
  const agent = id === draft.fields.sandbox.id ? draft.fields.sandbox.agent : null;
  draft.fields.sandbox = { id, status, reason: data.optionalString('reason'), agent };
}

function newBoot(sandboxId: string, event: EventEnvelope): BootItem {
  return {
    kind: 'boot',
    key: `boot:${sandboxId}`,
    sandboxId,
    status: 'starting',
    startedAt: event.at,
    elapsedMs: null,
    phases: [],
    agent: null,
    resumed: false,
  };
}

function changeBoot(draft: ConversationDraft, event: EventEnvelope, data: Fields, update: (boot: BootItem) => BootItem): void {
  const id = idOf(draft, data);
  const changed = draft.change(`boot:${id}`, event.messageId, (item) => (item.kind === 'boot' ? update(item) : item));
  if (!changed) draft.place(event.messageId).put(update(newBoot(id, event)));
}

/** Ends a boot that was going on; true when there was one. */
function endBoot(draft: ConversationDraft, event: EventEnvelope, data: Fields, status: 'failed' | 'stopped'): boolean {
  let ended = false;
  draft.change(`boot:${idOf(draft, data)}`, event.messageId, (item) => {
    if (item.kind !== 'boot' || item.status !== 'starting') return item;
    ended = true;
    return { ...item, status };
  });
  return ended;
}

const phaseStatuses = ['started', 'progress', 'completed', 'failed', 'skipped'] as const satisfies readonly PhaseStatus[];

function withPhase(boot: BootItem, event: EventEnvelope, data: Fields): BootItem {
  const name = data.string('phase');
  const known = boot.phases.find((phase) => phase.phase === name);
  const status = data.oneOf('status', phaseStatuses, 'progress');
  const next: BootPhase = {
    phase: name,
    status,
    startedAt: known?.startedAt ?? event.at,
    elapsedMs: data.number('elapsedMs') ?? known?.elapsedMs ?? null,
    // What it waited for is over once it is completed.
    detail: data.optionalString('detail') ?? (status === 'completed' ? null : known?.detail ?? null),
    output: (known?.output ?? '') + data.string('output'),
  };
  const phases = known ? boot.phases.map((phase) => (phase === known ? next : phase)) : [...boot.phases, next];
  return { ...boot, phases };
}

function notice(draft: ConversationDraft, event: EventEnvelope, data: Fields, tone: 'info' | 'warning', text: string): void {
  draft.place(event.messageId).put({
    kind: 'notice', key: `sandbox:${event.seq}`, tone, text, detail: data.optionalString('detail'), at: event.at,
  });
}
