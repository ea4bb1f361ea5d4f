import { MockAgent } from './agent.mjs';
import { MockSession, newId, person } from './session.mjs';

/** The state behind the mock's routes: an organization with sessions, secrets and keys. */
export class MockHost {
  constructor({ speed = 1, seeded = true } = {}) {
    this.speed = speed;
    this.sessions = [];
    this.agents = new Map();
    this.secrets = new Map();
    this.keys = [];
    this.signedIn = false;
    this.clientIds = new Map();
    this.ready = seeded ? this.seed() : Promise.resolve();
  }

  create(settings, speed = this.speed, clock = undefined) {
    const session = new MockSession(newId('ses'), { permissions: 'auto', repository: null, ...settings, title: settings.title ?? titleOf(settings.prompt) }, clock);
    this.sessions.unshift(session);
    this.agents.set(session.id, new MockAgent(session, speed));
    return session;
  }

  find(id) {
    return this.sessions.find((session) => session.id === id);
  }

  prompt(session, text, { clientId, retryOf } = {}) {
    const known = clientId && this.clientIds.get(clientId);
    if (known) return known;
    const message = { id: newId('msg'), text, status: 'queued' };
    const answer = { messageId: message.id, position: session.queued().length };
    if (clientId) this.clientIds.set(clientId, answer);
    session.messages.push(message);
    session.emit('message.queued', { text, position: answer.position, model: session.settings.model, by: person, ...(clientId ? { clientId } : {}), ...(retryOf ? { retryOf } : {}) }, message.id);
    void this.agents.get(session.id).drain();
    return answer;
  }

  archive(session) {
    if (session.archived) return;
    const agent = this.agents.get(session.id);
    for (const message of session.messages) if (message.status === 'queued' || session.running() === message) agent.cancel(message, person);
    session.archived = true;
    session.sandbox = { ...session.sandbox, status: 'stopped', reason: 'archived' };
    session.emit('sandbox.stopped', { sandboxId: session.sandbox.id, reason: 'archived' });
    session.emit('session.archived', { by: person });
  }

  providers() {
    return [
      { name: 'anthropic', displayName: 'Anthropic', secretName: 'models/anthropic', ready: this.secrets.has('models/anthropic'), isDemo: false },
      { name: 'openai', displayName: 'OpenAI', secretName: 'models/openai', ready: this.secrets.has('models/openai'), isDemo: false },
      { name: 'openrouter', displayName: 'OpenRouter', secretName: 'models/openrouter', ready: this.secrets.has('models/openrouter'), isDemo: false },
      { name: 'demo', displayName: 'Demo', secretName: null, ready: true, isDemo: true },
    ];
  }

  models() {
    const ready = Object.fromEntries(this.providers().map((provider) => [provider.name, provider.ready]));
    return [
      ['anthropic/claude-sonnet-4-5', 'Claude Sonnet 4.5', 200_000, 64_000, 3, 15],
      ['anthropic/claude-haiku-4-5', 'Claude Haiku 4.5', 200_000, 64_000, 1, 5],
      ['openai/gpt-5.1-codex', 'GPT-5.1 Codex', 400_000, 128_000, 1.25, 10],
      ['openrouter/qwen/qwen3-coder', 'Qwen3 Coder', 262_144, 66_536, 0.22, 1],
      ['demo/scripted', 'Scripted', 32_000, 8_000, 0, 0],
    ].map(([model, displayName, contextTokens, outputTokens, inputPrice, outputPrice]) => {
      const provider = model.split('/')[0];
      return { model, displayName, provider, contextTokens, outputTokens, inputPrice, outputPrice, isDemo: provider === 'demo', ready: ready[provider] };
    });
  }

  /** Sessions such as people have: one that went well, one that failed, one that is archived, many small ones. */
  async seed() {
    this.secrets.set('models/anthropic', { name: 'models/anthropic', hint: '4f2a', updatedAt: new Date(Date.now() - 86_400_000).toISOString() });
    this.keys.push({ id: 'key_1', name: 'CI pipeline', role: 'member', hint: '9c1e', createdAt: '2026-11-01T09:00:00Z', expiresAt: null });
    const repository = { url: 'https://github.com/acme/duration', branch: 'main' };
    for (const [index, title] of ['Bump the linter to version 9', 'Why is the cold start slow?', 'Write the migration guide'].entries()) {
      await this.finished({ title, model: 'anthropic/claude-haiku-4-5', repository: { url: 'https://github.com/acme/console', branch: null }, prompt: 'say Done: the linter is at version 9 and three new rules are switched off with a reason each.' }, 26 + index * 40);
    }
    this.archive(this.sessions[1]);
    await this.finished({ title: 'Import customers from the old system', model: 'anthropic/claude-sonnet-4-5', repository: { url: 'https://github.com/acme/missing', branch: 'main' }, prompt: 'Write an importer for the old CSV files.' }, 5);
    await this.finished({ title: 'Try the demo model', model: 'demo/scripted', repository: null, prompt: 'fail politely' }, 3);
    await this.finished({ title: 'Mend the duration format', model: 'anthropic/claude-sonnet-4-5', repository, permissions: 'ask', prompt: 'The test `splits off minutes` fails since yesterday. Find out why and mend it, please — but keep the change small.' }, 0.2);
  }

  async finished(settings, hoursAgo) {
    let time = Date.now() - hoursAgo * 3_600_000;
    const session = this.create(settings, 0, () => (time += 90));
    session.messages.push({ id: newId('msg'), text: settings.prompt, status: 'queued' });
    session.emit('message.queued', { text: settings.prompt, position: 0, model: settings.model, by: person }, session.messages[0].id);
    const agent = this.agents.get(session.id);
    await agent.drain();
    agent.speed = this.speed;
    session.clock = () => Date.now();
    return session;
  }
}

function titleOf(prompt) {
  return (prompt ?? 'New session').split('\n')[0].slice(0, 60);
}
