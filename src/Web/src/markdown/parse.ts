import MarkdownIt from 'markdown-it';
import type { Token } from 'markdown-it';

// Raw HTML stays text, and the tokens become React elements: nothing the agent writes is ever parsed as HTML.
const parser = new MarkdownIt({ html: false, linkify: true, breaks: false });

/**
 * Cuts a text into its top-level blocks without looking inside them. While a text streams only its last block
 * changes, so that only that one is read again.
 */
export function blocksOf(text: string): readonly string[] {
  const tokens: Token[] = [];
  const source = text.replace(/\r\n?/g, '\n');
  parser.block.parse(source, parser, {}, tokens);
  const lines = source.split('\n');
  const starts = tokens.flatMap((token) => (token.level === 0 && token.map && token.nesting >= 0 ? [token.map[0]] : []));
  return starts.map((start, index) => lines.slice(start, starts[index + 1] ?? lines.length).join('\n'));
}

export function tokensOf(block: string): readonly Token[] {
  return parser.parse(block, {});
}
