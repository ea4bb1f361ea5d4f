import { newId, noUsage } from './session.mjs';

/**
 * A scripted box and agent. Each step is a pause and then an event, so that a page can be watched; with speed 0 a
 * whole turn is written at once, which is how the sample sessions are made.
 */
export class MockAgent {
  constructor(session, speed = 1) {
    this.session = session;
    this.speed = speed;
    this.busy = false;
    this.cancelled = new Set();
    this.waiting = new Map();
  }

  async drain() {
    if (this.busy) return;
    this.busy = true;
    try {
      for (let next = this.session.queued()[0]; next; next = this.session.queued()[0]) {
        const ready = this.session.sandbox.status === 'ready' || (await this.boot(next));
        if (!ready) continue;
        const head = this.session.queued()[0];
        if (head) await this.run(head);
      }
    } finally {
      this.busy = false;
    }
  }

  pause(milliseconds) {
    return this.speed === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, milliseconds * this.speed));
  }

  async boot(message) {
    const { session } = this;
    const sandboxId = newId('box');
    const set = (status, extra = {}) => (session.sandbox = { ...session.sandbox, id: sandboxId, status, reason: null, ...extra });
    set('requested');
    session.emit('sandbox.requested', { sandboxId, generation: 1 });
    const phase = async (name, milliseconds, lines = []) => {
      session.emit('sandbox.booting', { sandboxId, phase: name, status: 'started' });
      for (const line of lines) {
        await this.pause(milliseconds / (lines.length + 1));
        session.emit('sandbox.booting', { sandboxId, phase: name, status: 'progress', output: `${line}\n` });
      }
      await this.pause(lines.length ? milliseconds / (lines.length + 1) : milliseconds);
      session.emit('sandbox.booting', { sandboxId, phase: name, status: 'completed', elapsedMs: milliseconds });
    };
    set('booting');
    await phase('create', 120);
    await phase('connect', 240);
    session.emit('sandbox.connected', { sandboxId, generation: 1, provider: 'local' });
    if (session.settings.repository) {
      await phase('clone', 420);
      if (/missing/.test(session.settings.repository.url)) return this.bootFails(message, sandboxId);
      await phase('install', 900, ['added 214 packages in 2s', '31 packages are looking for funding', '  run `npm fund` for details', 'found 0 vulnerabilities']);
      await phase('discover', 80);
      session.emit('environment.changed', { environment, changes: [] });
    } else {
      session.emit('sandbox.booting', { sandboxId, phase: 'clone', status: 'skipped', detail: 'No repository was named.' });
    }
    await phase('agent', 1600);
    const agent = { name: 'opencode', version: '1.18.33' };
    set('ready', { agent });
    session.emit('sandbox.ready', { sandboxId, agent, resumed: false, elapsedMs: 2410 });
    return true;
  }

  bootFails(message, sandboxId) {
    const { session } = this;
    const detail = 'The repository does not exist, or it is private and no token is stored for its host. Store one as the secret git/github.com.';
    session.emit('sandbox.booting', { sandboxId, phase: 'clone', status: 'failed', elapsedMs: 380, detail: 'Repository not found.' });
    session.sandbox = { ...session.sandbox, status: 'stopped', reason: 'bootFailed' };
    session.emit('sandbox.stopped', { sandboxId, reason: 'bootFailed' });
    this.end(message, 'failed', { code: 'repository_not_found', detail, retryable: true, durationMs: 900 });
    return false;
  }

  async run(message) {
    const { session } = this;
    message.status = 'dispatched';
    session.emit('message.dispatched', { sandboxId: session.sandbox.id, generation: 1 }, message.id);
    await this.pause(60);
    message.status = 'running';
    session.emit('message.started', {}, message.id);
    const turn = new MockTurn(this, message);
    const finished = await turn.play();
    if (!finished) return this.end(message, 'cancelled', { reason: 'user', durationMs: 1500 });
    if (/^fail/.test(message.text)) {
      return this.end(message, 'failed', { code: 'model_error', detail: 'The model answered 529 (overloaded) five times. Try again in a few minutes, or choose another model.', retryable: true, durationMs: 8200 });
    }
    return this.end(message, 'completed', { durationMs: 12_430 });
  }

  end(message, status, data) {
    const { session } = this;
    const usage = message.usage ?? noUsage();
    message.status = status;
    if (status === 'failed') message.failure = { code: data.code, detail: data.detail };
    for (const key of Object.keys(usage)) session.usage = { ...session.usage, [key]: session.usage[key] + usage[key] };
    session.permissions.clear();
    session.emit(`message.${status}`, { ...data, usage }, message.id);
    session.emit('run.flushed', { runId: newId('run'), outcome: status });
  }

  cancel(message, by) {
    if (message.status === 'queued') return this.end(message, 'cancelled', { reason: 'user', durationMs: 0 });
    if (this.cancelled.has(message.id)) return undefined;
    this.session.emit('message.cancelling', { by }, message.id);
    this.cancelled.add(message.id);
    for (const resolve of this.waiting.values()) resolve('reject');
    return undefined;
  }

  answer(permissionId, decision, note, by) {
    const resolve = this.waiting.get(permissionId);
    this.session.permissions.delete(permissionId);
    this.session.emit('permission.answered', { permissionId, decision, by, ...(note ? { note } : {}) }, this.session.running()?.id);
    resolve?.(decision);
  }
}

class MockTurn {
  constructor(agent, message) {
    this.agent = agent;
    this.session = agent.session;
    this.message = message;
    this.parts = 0;
  }

  emit(type, data) {
    this.session.emit(type, data, this.message.id);
  }

  get stopped() {
    return this.agent.cancelled.has(this.message.id);
  }

  /** Plays the steps that the message asks for; false when it was stopped on the way. */
  async play() {
    const { text } = this.message;
    for (const step of /^say /.test(text) ? [() => this.say(text.slice(4))] : this.steps(text)) {
      if (this.stopped) return false;
      await step();
    }
    return !this.stopped;
  }

  steps(text) {
    const steps = [
      () => this.reason('The person wants the failing test mended. I will look at how the project is built, run its tests to see the failure, and change as little as possible.'),
      () => this.say(openingText),
      () => this.plan(1),
      () => this.tool('read', { filePath: 'src/format.ts' }, 'src/format.ts', source, { lines: 24 }),
      () => this.tool('grep', { pattern: 'formatDuration', path: 'src' }, 'formatDuration', 'src/format.ts:4\nsrc/report.ts:18\ntest/format.test.ts:7', { lines: 3 }),
    ];
    if (/permission/.test(text)) steps.push(() => this.ask());
    steps.push(() => this.tool('bash', { command: 'npm test', description: 'Run the tests' }, 'Run the tests', testOutput, { exitCode: 1, stream: true }));
    if (/long/.test(text)) steps.push(() => this.tool('bash', { command: 'for i in $(seq 1 400); do echo line $i; sleep 0.05; done' }, 'Count slowly', counting, { exitCode: 0, stream: true }));
    steps.push(
      () => this.plan(2),
      () => this.edit(),
      () => this.tool('bash', { command: 'npm test', description: 'Run the tests again' }, 'Run the tests again', passOutput, { exitCode: 0, stream: true }),
      () => this.plan(4),
      () => this.say(closingText),
    );
    return steps;
  }

  async say(text, type = 'agent.text') {
    this.parts += 1;
    const part = `p${this.parts}`;
    for (let offset = 0; offset < text.length && !this.stopped; offset += 7) {
      this.emit(type, { part, offset, text: text.slice(offset, offset + 7) });
      await this.agent.pause(16);
    }
    this.meter(text);
  }

  reason(text) {
    return this.say(text, 'agent.reasoning');
  }

  meter(text) {
    const usage = { inputTokens: 1840, outputTokens: Math.ceil(text.length / 4), reasoningTokens: 12, cacheReadTokens: 1200, cacheWriteTokens: 0, costUsd: this.session.settings.model.startsWith('demo/') ? 0 : 0.0042 };
    const before = this.message.usage ?? noUsage();
    this.message.usage = Object.fromEntries(Object.entries(usage).map(([key, value]) => [key, value + before[key]]));
    this.emit('usage.recorded', { model: this.session.settings.model, ...usage });
  }

  plan(done) {
    const contents = ['Look at how durations are formatted', 'Run the tests and read the failure', 'Mend `formatDuration`', 'Run the tests again'];
    const entries = contents.map((content, index) => ({ content, status: index < done ? 'completed' : index === done ? 'in_progress' : 'pending', priority: 'medium' }));
    this.emit('plan.updated', { entries });
  }

  async tool(tool, input, title, output, { exitCode, stream, lines } = {}) {
    const callId = newId('call');
    this.emit('tool.started', { callId, tool, title, input });
    await this.agent.pause(350);
    if (stream) {
      const chunks = output.split(/(?<=\n)/);
      let offset = 0;
      for (const chunk of chunks) {
        if (this.stopped) break;
        this.emit('tool.updated', { callId, offset, output: chunk });
        offset += chunk.length;
        await this.agent.pause(45);
      }
    }
    if (this.stopped) return;
    const large = output.length > 4000;
    const shown = large ? `${output.slice(0, 1200)}\n… ${output.length - 2400} bytes left out …\n${output.slice(-1200)}` : output;
    this.emit('tool.completed', {
      callId, tool, title, input, output: shown, outputLength: output.length, truncated: large, durationMs: 60 + (lines ?? 40) * 31,
      ...(large ? { artifact: 'a'.repeat(64) } : {}), ...(exitCode === undefined ? {} : { exitCode }),
    });
  }

  async edit() {
    await this.tool('edit', { filePath: 'src/format.ts', oldString: '  const seconds = ms / 1000;\n  return `${seconds}s`;', newString: '  const seconds = ms / 1000;\n  if (seconds < 60) return `${seconds.toFixed(1)}s`;\n  const minutes = Math.floor(seconds / 60);\n  return `${minutes}m ${Math.round(seconds % 60)}s`;' }, 'src/format.ts', '');
    this.emit('file.changed', { path: 'src/format.ts', change: 'modified' });
    this.emit('file.changed', { path: 'test/format.test.ts', change: 'created' });
  }

  async ask() {
    const permissionId = newId('per');
    const asked = { permissionId, permission: 'bash', patterns: ['npm test'], title: 'Run the tests', detail: { command: 'npm test', directory: '/workspace' }, expiresAt: new Date(Date.now() + 300_000).toISOString() };
    this.session.permissions.set(permissionId, asked);
    this.emit('permission.asked', asked);
    await new Promise((resolve) => this.agent.waiting.set(permissionId, resolve));
    this.agent.waiting.delete(permissionId);
  }
}

export const environment = {
  packageManager: 'npm', packageManagers: ['npm'], fileCount: 42,
  commands: { install: 'npm install', build: 'npm run build', test: 'npm test', start: null },
  languages: [{ name: 'TypeScript', files: 31 }, { name: 'JSON', files: 6 }], runtimes: [{ name: 'node', version: '>=20' }],
  packages: [], environmentVariables: ['API_URL', 'LOG_LEVEL'], hasDockerfile: true, hasDevcontainer: false, commit: '9fceb02d0ae598e95dc970b74767f19372d61af8',
};

const openingText = 'I will start with the tests, then look at `formatDuration` — the name in the failure suggests that minutes are never split off.\n\n';
const closingText = `The test passes now. \`formatDuration\` returned seconds only; it splits off minutes when there are any:

\`\`\`ts
export function formatDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return \`\${seconds.toFixed(1)}s\`;
  const minutes = Math.floor(seconds / 60); // whole minutes
  return \`\${minutes}m \${Math.round(seconds % 60)}s\`;
}
\`\`\`

What changed:

| File | Why |
|---|---|
| \`src/format.ts\` | minutes are split off at 60 seconds |
| \`test/format.test.ts\` | three cases around the boundary |

1. Under a minute nothing changes: \`12.4s\` stays as it is.
2. **Rounding** happens on the seconds only, so \`119.6\` reads \`1m 60s\`. That is an old quirk which I left alone; [issue 12](https://example.com/issues/12) already names it.

> If you want it mended too, say so and I will round before splitting.
`;
const source = "import { clock } from './clock';\n\n/** How long something took, for people. */\nexport function formatDuration(ms: number): string {\n  const seconds = ms / 1000;\n  return `${seconds}s`;\n}\n";
const testOutput = "\n> sample@1.0.0 test\n> vitest run\n\n ❯ test/format.test.ts (3 tests | 1 failed) 12ms\n   × formatDuration > splits off minutes 6ms\n     → expected '95s' to be '1m 35s'\n\n Test Files  1 failed (1)\n      Tests  1 failed | 2 passed (3)\n   Duration  412ms\n";
const passOutput = "\n> sample@1.0.0 test\n> vitest run\n\n ✓ test/format.test.ts (3 tests) 9ms\n\n Test Files  1 passed (1)\n      Tests  3 passed (3)\n   Duration  398ms\n";
const counting = Array.from({ length: 400 }, (_, index) => `line ${index + 1}: the quick brown fox jumps over the lazy dog\n`).join('');
