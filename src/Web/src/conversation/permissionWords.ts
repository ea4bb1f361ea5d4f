const words: Readonly<Record<string, string>> = {
  bash: 'run a command',
  edit: 'edit a file',
  write: 'write a file',
  read: 'read a file',
  webfetch: 'fetch a web page',
  websearch: 'search the web',
  external_directory: 'reach outside its workspace',
  doom_loop: 'go on although it repeats itself',
  task: 'start a subagent',
};

/** What a permission lets the agent do, as the end of "The agent wants to …". */
export function permissionWords(permission: string): string {
  return words[permission] ?? `use “${permission.replace(/[_-]+/g, ' ')}”`;
}
