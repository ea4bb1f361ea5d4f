export interface Piece {
  readonly kind: 'keyword' | 'string' | 'comment' | 'number' | 'added' | 'removed' | null;
  readonly text: string;
}

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));

const keywords = words(
  'abstract and as async await base bool boolean break case catch char class const continue def default defer del delete do double elif else end enum except '
  + 'export extends extern false final finally float fn for foreach from func function go goto if impl implements import in init int interface internal is lambda let '
  + 'long loop match mod module mut namespace new nil none not null object of or out override package pass private protected pub public raise readonly record ref require '
  + 'return sealed select self static string struct super switch this throw trait true try type typeof undefined union unsafe use using var virtual void when where while with yield '
  + 'None True False',
);

const shellWords = words('case do done elif else esac export fi for function if in local return set then unset while');
const sqlWords = words('select from where and or not null insert into values update set delete create table index primary key references join left right inner outer on group by order limit as distinct having union all');

const hashComments = words('bash sh shell zsh console py python rb ruby yaml yml toml make makefile dockerfile ini conf r perl elixir');
const dashComments = words('sql lua haskell hs');
const plain = words('text txt plain log output json5 md markdown');

const largest = 60_000;

/** Colours that hold for most languages: comments, strings, numbers and words of the language. Large code stays plain. */
export function highlight(code: string, language: string): readonly Piece[] {
  const name = language.toLowerCase();
  if (code.length > largest || name === '' || plain.has(name)) return [{ kind: null, text: code }];
  if (name === 'diff' || name === 'patch') return diff(code);
  const pattern = patternFor(name);
  const known = name === 'sql' ? sqlWords : ['bash', 'sh', 'shell', 'zsh', 'console'].includes(name) ? shellWords : keywords;
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of code.matchAll(pattern)) {
    const kind = kindOf(match, known, name === 'sql');
    if (!kind) continue;
    if (match.index > end) pieces.push({ kind: null, text: code.slice(end, match.index) });
    pieces.push({ kind, text: match[0] });
    end = match.index + match[0].length;
  }
  pieces.push({ kind: null, text: code.slice(end) });
  return pieces;
}

function patternFor(name: string): RegExp {
  const comment = hashComments.has(name) ? '#[^\\n]*' : dashComments.has(name) ? '--[^\\n]*' : '\\/\\/[^\\n]*|\\/\\*[\\s\\S]*?(?:\\*\\/|$)';
  const text = '"(?:[^"\\\\\\n]|\\\\.)*"?|\'(?:[^\'\\\\\\n]|\\\\.)*\'?|`(?:[^`\\\\]|\\\\.)*`?';
  return new RegExp(`(?<comment>${comment})|(?<text>${text})|(?<number>\\b\\d[\\d_]*(?:\\.\\d+)?(?:e[+-]?\\d+)?\\b)|(?<word>[A-Za-z_][\\w-]*)`, 'gi');
}

function kindOf(match: RegExpMatchArray, known: ReadonlySet<string>, ignoreCase: boolean): Piece['kind'] {
  const { comment, text, number, word } = match.groups ?? {};
  if (comment !== undefined) return 'comment';
  if (text !== undefined) return 'string';
  if (number !== undefined) return 'number';
  return word !== undefined && known.has(ignoreCase ? word.toLowerCase() : word) ? 'keyword' : null;
}

function diff(code: string): readonly Piece[] {
  return code.split(/(?<=\n)/).map((text) => ({ kind: text.startsWith('+') ? 'added' : text.startsWith('-') ? 'removed' : text.startsWith('@@') ? 'comment' : null, text }));
}
