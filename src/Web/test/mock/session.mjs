/** One session of the mock host: its events, its view, and whoever follows it. */
export class MockSession {
  constructor(id, settings, clock = () => Date.now()) {
    this.id = id;
    this.settings = settings;
    this.clock = clock;
    this.events = [];
    this.messages = [];
    this.permissions = new Map();
    this.followers = new Set();
    this.sandbox = { id: null, generation: 0, status: 'none', reason: null, agent: null };
    this.usage = noUsage();
    this.archived = false;
    this.title = settings.title;
    this.createdAt = this.time();
    this.updatedAt = this.createdAt;
    this.emit('session.created', {
      title: this.title, model: settings.model, agent: 'opencode', permissions: settings.permissions,
      repository: settings.repository, createdBy: person,
    });
  }

  time() {
    return new Date(this.clock()).toISOString();
  }

  emit(type, data = {}, messageId = undefined) {
    const seq = this.events.length + 1;
    const event = { cursor: `1.${seq}`, seq, at: this.time(), type, ...(messageId ? { messageId } : {}), data };
    this.events.push(event);
    this.updatedAt = event.at;
    for (const follower of this.followers) follower({ type: 'events', events: [event] });
    if (/^(message|session|permission|sandbox)\./.test(type) && type !== 'sandbox.booting') this.showView();
    return event;
  }

  showView() {
    for (const follower of this.followers) follower({ type: 'view', session: this.view() });
  }

  message(id) {
    return this.messages.find((message) => message.id === id);
  }

  queued() {
    return this.messages.filter((message) => message.status === 'queued');
  }

  running() {
    return this.messages.find((message) => message.status === 'running' || message.status === 'dispatched');
  }

  view() {
    const { model, permissions, repository } = this.settings;
    return {
      id: this.id, title: this.title, status: this.archived ? 'archived' : 'active', model, agent: 'opencode', permissions, repository,
      createdAt: this.createdAt, updatedAt: this.updatedAt, createdBy: person, cursor: `1.${this.events.length}`, sandbox: this.sandbox,
      messages: this.messages.slice(-22).map(({ id, status, text, failure }, position) => ({
        id, status, text: text.slice(0, 200), model, position, queuedAt: this.createdAt, cancelling: false, failure: failure ?? null,
      })),
      permissionsOpen: [...this.permissions.values()], usage: this.usage,
    };
  }
}

export const person = { kind: 'user', id: 'usr_01', displayName: 'Owner' };

export function noUsage() {
  return { inputTokens: 0, outputTokens: 0, reasoningTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 };
}

let counter = 0;

export function newId(prefix) {
  counter += 1;
  return `${prefix}_${counter.toString(36).padStart(26, '0')}`;
}
