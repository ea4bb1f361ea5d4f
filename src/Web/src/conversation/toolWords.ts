import type { IconName } from '../ui/Icon';
import type { ToolItem } from './model';

export interface ToolWords {
  readonly icon: IconName;
  readonly name: string;
  readonly subject: string;
  readonly code: boolean;
  /** How its body is laid out. */
  readonly body: 'terminal' | 'edit' | 'write' | 'fields';
}

type Input = ToolItem['input'];
type Describe = (input: Input, title: string | null) => ToolWords;

const first = (input: Input, ...names: readonly string[]): string => {
  for (const name of names) {
    const value = input[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return '';
};

const pathOf = (input: Input) => shortPath(first(input, 'filePath', 'file_path', 'path'));

const shell: Describe = (input, title) => {
  const command = commandOf(input);
  // What the agent says a command is for reads better than the command, which stands below it in the terminal.
  const purpose = first(input, 'description');
  if (purpose !== '' && purpose !== command) return { icon: 'terminal', name: 'Run', subject: purpose, code: false, body: 'terminal' };
  return { icon: 'terminal', name: 'Run', subject: firstLine(command) || (title ?? ''), code: true, body: 'terminal' };
};
const search: Describe = (input, title) => ({ icon: 'search', name: 'Search', subject: [first(input, 'pattern', 'query'), pathOf(input)].filter(Boolean).join(' in ') || (title ?? ''), code: true, body: 'fields' });
const list: Describe = (input, title) => ({ icon: 'list', name: 'List', subject: pathOf(input) || (title ?? ''), code: true, body: 'fields' });

const known: Readonly<Record<string, Describe>> = {
  bash: shell,
  shell,
  execute: shell,
  read: (input, title) => ({ icon: 'file', name: 'Read', subject: pathOf(input) || (title ?? ''), code: true, body: 'fields' }),
  write: (input, title) => ({ icon: 'edit', name: 'Write', subject: pathOf(input) || (title ?? ''), code: true, body: 'write' }),
  edit: (input, title) => ({ icon: 'edit', name: 'Edit', subject: pathOf(input) || (title ?? ''), code: true, body: 'edit' }),
  grep: search,
  glob: (input, title) => ({ ...search(input, title), name: 'Find files' }),
  list,
  ls: list,
  webfetch: (input, title) => ({ icon: 'globe', name: 'Fetch', subject: first(input, 'url') || (title ?? ''), code: true, body: 'fields' }),
  websearch: (input, title) => ({ icon: 'globe', name: 'Search the web', subject: first(input, 'query') || (title ?? ''), code: false, body: 'fields' }),
  task: (input, title) => ({ icon: 'agent', name: 'Subagent', subject: first(input, 'description') || (title ?? ''), code: false, body: 'fields' }),
  todowrite: (_input, title) => ({ icon: 'list', name: 'Update the plan', subject: title ?? '', code: false, body: 'fields' }),
};

/** A tool call in the words of the person reading it. */
export function toolWords(tool: ToolItem): ToolWords {
  const describe = known[tool.tool.toLowerCase()];
  if (describe) return describe(tool.input, tool.title);
  const subject = tool.title ?? firstLine(first(tool.input, 'command', 'description', 'query', 'url', 'path', 'filePath'));
  return { icon: 'tool', name: tool.tool.replace(/[_-]+/g, ' ') || 'Tool', subject: subject === tool.tool ? '' : subject, code: false, body: 'fields' };
}

/** The command of a shell tool. */
export function commandOf(input: Input): string {
  return first(input, 'command', 'cmd');
}

/** Paths in the workspace start at the workspace. */
export function shortPath(path: string): string {
  return path.replace(/^\/workspace\//, '');
}

function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return end < 0 ? text : `${text.slice(0, end)} …`;
}
