import type { AgentVersion, PrincipalView, Repository, Usage } from '../api/wire';
import type { Environment } from './model';

/**
 * Reads what an event carries without trusting it: a field that is missing or of another shape is its neutral value,
 * so that no event, however new, can break the page.
 */
export class Fields {
  private readonly values: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    this.values = isRecord(value) ? value : {};
  }

  string(name: string): string {
    return this.optionalString(name) ?? '';
  }

  optionalString(name: string): string | null {
    const value = this.values[name];
    return typeof value === 'string' ? value : null;
  }

  number(name: string): number | null {
    const value = this.values[name];
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  }

  boolean(name: string): boolean {
    return this.values[name] === true;
  }

  oneOf<const T extends string>(name: string, choices: readonly T[], otherwise: T): T {
    const value = this.values[name];
    return choices.find((choice) => choice === value) ?? otherwise;
  }

  record(name: string): Readonly<Record<string, unknown>> {
    const value = this.values[name];
    return isRecord(value) ? value : {};
  }

  list(name: string): readonly Fields[] {
    const value = this.values[name];
    return Array.isArray(value) ? value.map((item) => new Fields(item)) : [];
  }

  strings(name: string): readonly string[] {
    const value = this.values[name];
    return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
  }

  within(name: string): Fields {
    return new Fields(this.values[name]);
  }

  has(name: string): boolean {
    return this.values[name] !== undefined && this.values[name] !== null;
  }

  usage(name: string): Usage | null {
    return this.has(name) ? usageOf(this.within(name)) : null;
  }

  agent(name: string): AgentVersion | null {
    const agent = this.within(name);
    const agentName = agent.optionalString('name');
    return agentName ? { name: agentName, version: agent.string('version') } : null;
  }

  /** A principal, written as an object or as its name alone. */
  principal(name: string): PrincipalView | null {
    const plain = this.optionalString(name);
    if (plain) return { kind: 'user', id: plain, displayName: plain };
    const by = this.within(name);
    const id = by.optionalString('id');
    return id ? { kind: by.string('kind'), id, displayName: by.optionalString('displayName') ?? id } : null;
  }

  repository(name: string): Repository | null {
    const repository = this.within(name);
    const url = repository.optionalString('url');
    return url ? { url, branch: repository.optionalString('branch') } : null;
  }

  environment(name: string): Environment {
    return environmentOf(this.within(name));
  }
}

export function usageOf(fields: Fields): Usage {
  return {
    inputTokens: fields.number('inputTokens') ?? 0,
    outputTokens: fields.number('outputTokens') ?? 0,
    reasoningTokens: fields.number('reasoningTokens') ?? 0,
    cacheReadTokens: fields.number('cacheReadTokens') ?? 0,
    cacheWriteTokens: fields.number('cacheWriteTokens') ?? 0,
    costUsd: fields.number('costUsd') ?? 0,
  };
}

export function addUsage(left: Usage, right: Usage): Usage {
  return {
    inputTokens: left.inputTokens + right.inputTokens,
    outputTokens: left.outputTokens + right.outputTokens,
    reasoningTokens: left.reasoningTokens + right.reasoningTokens,
    cacheReadTokens: left.cacheReadTokens + right.cacheReadTokens,
    cacheWriteTokens: left.cacheWriteTokens + right.cacheWriteTokens,
    costUsd: left.costUsd + right.costUsd,
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function environmentOf(fields: Fields): Environment {
  const commands = fields.record('commands');
  return {
    packageManager: fields.optionalString('packageManager'),
    packageManagers: fields.strings('packageManagers'),
    fileCount: fields.number('fileCount'),
    commands: Object.entries(commands).flatMap(([name, command]) => (typeof command === 'string' ? [{ name, command }] : [])),
    languages: fields.list('languages').map((item) => ({ name: item.string('name'), files: item.number('files') ?? 0 })),
    runtimes: fields.list('runtimes').map((item) => ({ name: item.string('name'), version: item.optionalString('version') })),
    packages: fields.list('packages').map((item) => ({ path: item.string('path'), name: item.string('name') })),
    environmentVariables: fields.strings('environmentVariables'),
    hasDockerfile: fields.boolean('hasDockerfile'),
    hasDevcontainer: fields.boolean('hasDevcontainer'),
    commit: fields.optionalString('commit'),
  };
}
