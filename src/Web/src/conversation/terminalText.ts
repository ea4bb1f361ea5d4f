import { bytes } from '../ui/format';

// Colours and cursor moves of a terminal: ESC [ … letter, ESC ] … BEL, and single-letter escapes.
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])/g;
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

/** What a terminal would show in the end: without colours, and with each line as it was last written. */
export function terminalText(output: string): string {
  let text = output;
  if (text.includes('\u001b')) text = text.replace(escapes, '');
  text = text.replace(/\r+\n/g, '\n');
  if (text.includes('\r')) text = text.replace(/[^\n]*\r(?=[^\n])/g, '').replace(/\r/g, '');
  return text.replace(controls, '');
}

/** The last lines of a text, and how many stand before them. */
export function tailOf(text: string, lines: number): { readonly tail: string; readonly before: number } {
  const trimmed = text.endsWith('\n') ? text.slice(0, -1) : text;
  let at = trimmed.length;
  for (let count = 0; count < lines; count++) {
    at = trimmed.lastIndexOf('\n', at - 1);
    if (at < 0) return { tail: trimmed, before: 0 };
  }
  return { tail: trimmed.slice(at + 1), before: countLines(trimmed, at) };
}

/** What to say below an output of which a part is missing, or whose whole was kept elsewhere. */
export function outputNote(tool: { readonly truncated: boolean; readonly outputLength: number | null }): { readonly shown: string; readonly download: string } {
  if (!tool.truncated) return { shown: 'The whole output was kept.', download: 'Download all of it' };
  if (tool.outputLength === null) return { shown: 'The agent kept only a part of the output.', download: 'Download what it kept' };
  return { shown: `Only the beginning and the end are shown of ${bytes(tool.outputLength)}.`, download: 'Download all of it' };
}

function countLines(text: string, end: number): number {
  let count = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
