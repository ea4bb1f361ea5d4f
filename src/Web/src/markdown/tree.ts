import type { Token } from 'markdown-it';

/** A token with what stands between its opening and its closing. */
export interface Node {
  readonly token: Token;
  readonly children: readonly Node[];
}

/** Turns the parser's flat list into a tree. */
export function treeOf(tokens: readonly Token[]): readonly Node[] {
  const root: Node[] = [];
  const stack: Node[][] = [root];
  for (const token of tokens) {
    const level = stack.at(-1) ?? root;
    if (token.nesting === -1) {
      if (stack.length > 1) stack.pop();
    } else if (token.nesting === 1) {
      const children: Node[] = [];
      level.push({ token, children });
      stack.push(children);
    } else {
      level.push({ token, children: token.children ? treeOf(token.children) : [] });
    }
  }
  return root;
}
