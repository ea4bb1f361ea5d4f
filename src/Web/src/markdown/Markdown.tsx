import type { Token } from 'markdown-it';
import { Fragment, memo, useMemo } from 'react';
import type { ReactNode } from 'react';
import { CodeBlock } from './CodeBlock';
import { blocksOf, tokensOf } from './parse';
import type { Node } from './tree';
import { treeOf } from './tree';

/** What the agent wrote, as Markdown. Safe for any input, and cheap while it streams. */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  const blocks = useMemo(() => blocksOf(text), [text]);
  return <div className="markdown">{blocks.map((block, index) => <Block key={index} source={block} />)}</div>;
});

const Block = memo(function Block({ source }: { source: string }) {
  return <>{renderAll(treeOf(tokensOf(source)))}</>;
});

function renderAll(nodes: readonly Node[]): ReactNode {
  return nodes.map((node, index) => <Fragment key={index}>{render(node)}</Fragment>);
}

const plainTags = {
  strong_open: 'strong', em_open: 'em', s_open: 's', blockquote_open: 'blockquote', bullet_list_open: 'ul', list_item_open: 'li',
  thead_open: 'thead', tbody_open: 'tbody', tr_open: 'tr',
} as const;

function render({ token, children }: Node): ReactNode {
  const Tag = plainTags[token.type as keyof typeof plainTags];
  if (Tag) return <Tag>{renderAll(children)}</Tag>;
  switch (token.type) {
    case 'text':
    case 'text_special':
      return token.content;
    case 'inline':
      return renderAll(children);
    case 'paragraph_open':
      return token.hidden ? renderAll(children) : <p>{renderAll(children)}</p>;
    case 'heading_open':
      return renderHeading(token.tag, renderAll(children));
    case 'ordered_list_open':
      return <ol start={Number(token.attrGet('start') ?? 1)}>{renderAll(children)}</ol>;
    case 'code_inline':
      return <code>{token.content}</code>;
    case 'fence':
    case 'code_block':
      return <CodeBlock code={token.content.replace(/\n$/, '')} language={token.info.trim().split(/\s+/)[0] ?? ''} />;
    case 'softbreak':
      return '\n';
    case 'hardbreak':
      return <br />;
    case 'hr':
      return <hr />;
    case 'link_open':
      return renderLink(text(token, 'href'), renderAll(children));
    case 'image':
      // Another site's picture would tell it who is reading, and the page's policy forbids it: it becomes a link.
      return renderLink(text(token, 'src'), token.content || 'image');
    case 'table_open':
      return <div className="table-scroll" tabIndex={0} role="region" aria-label="Table"><table>{renderAll(children)}</table></div>;
    case 'th_open':
      return <th style={alignment(text(token, 'style'))}>{renderAll(children)}</th>;
    case 'td_open':
      return <td style={alignment(text(token, 'style'))}>{renderAll(children)}</td>;
    default:
      return children.length > 0 ? renderAll(children) : token.content;
  }
}

function text(token: Token, name: string): string | null {
  const value = token.attrGet(name);
  return value === null ? null : String(value);
}

/** The agent's headings stand below the page's own. */
function renderHeading(tag: string, content: ReactNode): ReactNode {
  if (tag === 'h1') return <h3 className="heading-1">{content}</h3>;
  if (tag === 'h2') return <h4 className="heading-2">{content}</h4>;
  return <h5 className="heading-3">{content}</h5>;
}

function renderLink(href: string | null, content: ReactNode): ReactNode {
  if (!href || !/^(https?:|mailto:)/i.test(href)) return <>{content}</>;
  return <a href={href} target="_blank" rel="noopener noreferrer">{content}</a>;
}

function alignment(style: string | null): { textAlign: 'center' | 'right' } | undefined {
  const align = /text-align:(center|right)/.exec(style ?? '')?.[1];
  return align === 'center' || align === 'right' ? { textAlign: align } : undefined;
}
