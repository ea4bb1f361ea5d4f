import type { EventEnvelope } from '../api/wire';
import { applyDelta } from './delta';
import type { ConversationDraft } from './draft';
import type { Fields } from './fields';
import type { Handler, Handlers } from './handler';
import type { FileChange, PlanEntry, ToolItem } from './model';

/** What the agent says and does. */
export const agentHandlers: Handlers = {
  'agent.text': textHandler('text'),
  'agent.reasoning': textHandler('reasoning'),

  'agent.retrying': (draft, event, data) => {
    const turn = draft.turn(event.messageId);
    if (!turn) return;
    turn.fields.retrying = { attempt: data.number('attempt') ?? 1, reason: data.string('reason'), nextAt: data.optionalString('nextAt') };
  },

  'tool.started': (draft, event, data) => {
    goesOn(draft, event);
    changeTool(draft, event, data, (tool) => ({ ...tool, ...toolNames(tool, data) }));
  },

  'tool.updated': (draft, event, data) => {
    changeTool(draft, event, data, (tool) => ({ ...tool, output: applyDelta(tool.output, data.number('offset'), data.string('output')) }));
  },

  'tool.completed': (draft, event, data) => {
    changeTool(draft, event, data, (tool) => ({
      ...tool,
      ...toolNames(tool, data),
      status: 'completed',
      output: data.optionalString('output') ?? tool.output,
      outputLength: data.number('outputLength'),
      truncated: data.boolean('truncated'),
      artifact: data.optionalString('artifact') ?? (data.within('artifact').optionalString('sha256')),
      exitCode: data.number('exitCode'),
      durationMs: data.number('durationMs'),
    }));
  },

  'tool.failed': (draft, event, data) => {
    changeTool(draft, event, data, (tool) => ({
      ...tool, ...toolNames(tool, data), status: 'failed', error: data.string('error'), durationMs: data.number('durationMs'),
    }));
  },

  'plan.updated': (draft, event, data) => {
    draft.place(event.messageId).put({ kind: 'plan', key: 'plan', entries: data.list('entries').map(planEntry) });
  },

  'file.changed': (draft, event, data) => {
    const turn = draft.turn(event.messageId ?? draft.fields.active ?? undefined);
    const path = data.string('path');
    if (!turn || path === '') return;
    turn.fields.files = withChange(turn.fields.files, { path, change: data.oneOf('change', ['created', 'modified', 'deleted'], 'modified') });
  },

  'artifact.added': (draft, event, data) => {
    const turn = draft.turn(event.messageId ?? draft.fields.active ?? undefined);
    const sha256 = data.string('sha256');
    if (!turn || sha256 === '' || turn.fields.artifacts.some((artifact) => artifact.sha256 === sha256)) return;
    const artifact = { sha256, name: data.optionalString('name') ?? 'artifact', mediaType: data.optionalString('mediaType'), size: data.number('size') };
    turn.fields.artifacts = [...turn.fields.artifacts, artifact];
  },
};

function textHandler(kind: 'text' | 'reasoning'): Handler {
  return (draft, event, data) => {
    goesOn(draft, event);
    const items = draft.place(event.messageId);
    const key = `${kind}:${data.optionalString('part') ?? data.number('part') ?? ''}`;
    const known = items.get(key);
    const before = known?.kind === kind ? known.text : '';
    const at = known?.kind === kind ? known.at : event.at;
    items.put({ kind, key, at, text: applyDelta(before, data.number('offset'), data.string('text')) });
  };
}

/** The agent does something again, so it no longer waits for another attempt. */
function goesOn(draft: ConversationDraft, event: EventEnvelope): void {
  const turn = draft.turn(event.messageId);
  if (turn?.fields.retrying) turn.fields.retrying = null;
}

function changeTool(draft: ConversationDraft, event: EventEnvelope, data: Fields, update: (tool: ToolItem) => ToolItem): void {
  const key = `tool:${data.string('callId')}`;
  const changed = draft.change(key, event.messageId, (item) => (item.kind === 'tool' && item.status === 'running' ? update(item) : item));
  if (!changed) draft.place(event.messageId).put(update(newTool(key, event, data)));
}

function newTool(key: string, event: EventEnvelope, data: Fields): ToolItem {
  return {
    kind: 'tool',
    key,
    tool: data.string('tool'),
    title: data.optionalString('title'),
    input: data.record('input'),
    status: 'running',
    output: '',
    outputLength: null,
    truncated: false,
    artifact: null,
    exitCode: null,
    error: null,
    startedAt: event.at,
    durationMs: null,
  };
}

function toolNames(tool: ToolItem, data: Fields): Pick<ToolItem, 'tool' | 'title' | 'input'> {
  return {
    tool: data.optionalString('tool') ?? tool.tool,
    title: data.optionalString('title') ?? tool.title,
    input: data.has('input') ? data.record('input') : tool.input,
  };
}

function planEntry(data: Fields): PlanEntry {
  const status = data.string('status').replace('_', '').toLowerCase();
  return {
    content: data.string('content'),
    status: status === 'inprogress' ? 'inProgress' : status === 'completed' || status === 'cancelled' ? status : 'pending',
    priority: data.optionalString('priority'),
  };
}

/** What became of each file in the end: created and then deleted is nothing, created and then modified is created. */
function withChange(files: readonly FileChange[], next: FileChange): readonly FileChange[] {
  const known = files.find((file) => file.path === next.path);
  if (!known) return [...files, next];
  const rest = files.filter((file) => file !== known);
  if (known.change === 'created' && next.change === 'deleted') return rest;
  if (known.change === 'created') return files;
  if (known.change === 'deleted' && next.change === 'created') return [...rest, { path: next.path, change: 'modified' }];
  return known.change === next.change ? files : [...rest, next];
}
