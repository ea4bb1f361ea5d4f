import { describe, expect, test } from 'vitest';
import { renderToStaticMarkup } from 'react-dom/server';
import { createElement } from 'react';
import { Markdown } from '../src/markdown/Markdown';
import { highlight } from '../src/markdown/highlight';
import { blocksOf } from '../src/markdown/parse';

const html = (text: string) => renderToStaticMarkup(createElement(Markdown, { text }));

describe('what the agent writes', () => {
  test('Raw HTML stays text', () => {
    const rendered = html('<script>alert(1)</script>\n\nA <b onclick="x()">word</b> and <img src=x onerror=alert(1)>');
    expect(rendered).not.toMatch(/<(script|b|img)[\s>]/);
    expect(rendered).toContain('&lt;script&gt;');
  });

  test('A link goes to the web and nowhere else, and says nothing about who follows it', () => {
    expect(html('[a](https://example.com)')).toContain('<a href="https://example.com" target="_blank" rel="noopener noreferrer">a</a>');
    for (const target of ['javascript:alert(1)', 'data:text/html,x', 'vbscript:x', 'file:///etc/passwd']) expect(html(`[a](${target})`)).not.toContain('<a');
  });

  test('A picture of another site becomes a link to it', () => {
    expect(html('![chart](https://example.com/a.png)')).not.toContain('<img');
    expect(html('![chart](https://example.com/a.png)')).toContain('>chart</a>');
  });

  test('Lists, tables, quotes, code and emphasis are laid out', () => {
    const rendered = html('# One\n\n1. a\n2. **b**\n\n| x | y |\n|---|--:|\n| 1 | 2 |\n\n> q\n\n```ts\nconst a = 1;\n```\n\n`inline` ~~gone~~');
    for (const tag of ['<h3', '<ol', '<strong>', '<table>', '<blockquote>', '<pre', '<code>inline</code>', '<s>', 'text-align:right']) expect(rendered).toContain(tag);
  });

  test('A text that grows only changes its last block', () => {
    const text = '# Title\n\nFirst *paragraph*.\n\n- a\n- b\n\n```js\nlet x = 1;\n\nlet y;\n```\n\nThe end';
    const whole = blocksOf(text);
    expect(whole.map((block) => block.trim())).toEqual(['# Title', 'First *paragraph*.', '- a\n- b', '```js\nlet x = 1;\n\nlet y;\n```', 'The end']);
    expect(blocksOf(`${text} is near.`).slice(0, -1)).toEqual(whole.slice(0, -1));
  });

  test('Every prefix of a text can be shown', () => {
    const text = 'A **bold** [link](https://x.y) and `code`\n\n```js\nlet a = "b"; // c\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n';
    for (let end = 0; end <= text.length; end++) expect(() => html(text.slice(0, end))).not.toThrow();
  });
});

describe('colours of code', () => {
  const kinds = (code: string, language: string) => highlight(code, language).filter((piece) => piece.kind).map((piece) => `${piece.kind}:${piece.text}`);

  test('Keywords, strings, numbers and comments are told apart', () => {
    expect(kinds('const a = "x"; // note 7\nreturn 42', 'ts')).toEqual(['keyword:const', 'string:"x"', 'comment:// note 7', 'keyword:return', 'number:42']);
    expect(kinds('x = 1 # why', 'python')).toEqual(['number:1', 'comment:# why']);
  });

  test('No character is lost or added', () => {
    for (const code of ['"open string', '/* open comment', '`tpl ${x}`\n\'a', '+added\n-gone\n ctx', '🦊 const']) {
      for (const language of ['ts', 'sh', 'sql', 'diff', '', 'unknown']) expect(highlight(code, language).map((piece) => piece.text).join('')).toBe(code);
    }
  });
});
