/**
 * Splits the SQL of pg_dumpall into statements, without comments, psql's own commands and the closing semicolons. Knows
 * quoted names, strings with and without escapes, dollar quotes and nested comments: a password or a comment on a role
 * may hold anything.
 */
export function splitSql(text: string): string[] {
  const statements: string[] = [];
  let statement = '';
  for (const token of tokenize(text)) {
    if (token.kind === 'end') {
      if (statement.trim() !== '') statements.push(statement.trim());
      statement = '';
    } else if (token.kind === 'comment') {
      statement += ' ';
    } else if (token.kind !== 'command' || statement.trim() !== '') {
      statement += token.text;
    }
  }
  if (statement.trim() !== '') statements.push(statement.trim());
  return statements;
}

/** Words of a statement; a quoted name comes without its quotes, strings and signs as they stand. */
export function statementWords(statement: string): string[] {
  return [...tokenize(statement)]
    .filter((token) => token.kind !== 'space' && token.kind !== 'comment')
    .map((token) => (token.kind === 'name' ? token.text.slice(1, -1).replaceAll('""', '"') : token.text));
}

type Kind = 'end' | 'comment' | 'command' | 'name' | 'string' | 'word' | 'space';
interface Token {
  readonly kind: Kind;
  readonly text: string;
}

/** In order: what is tried first wins. Sticky, so that each match begins where the last one ended. */
const RULES: readonly (readonly [Kind, RegExp])[] = [
  ['end', /;/y],
  ['comment', /--[^\n]*/y],
  ['command', /\\[^\n]*/y],
  ['name', /"(?:[^"]|"")*"/y],
  ['string', /[eE]'(?:[^'\\]|\\[^]|'')*'/y],
  ['string', /'(?:[^']|'')*'/y],
  ['string', /(\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)[^]*?\1/y],
  ['space', /\s+/y],
  ['word', /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y],
  ['word', /[^]/y],
];

function* tokenize(text: string): Generator<Token, void, undefined> {
  let place = 0;
  while (place < text.length) {
    const token = text.startsWith('/*', place) ? blockComment(text, place) : nextToken(text, place);
    yield token;
    place += token.text.length;
  }
}

function nextToken(text: string, place: number): Token {
  for (const [kind, rule] of RULES) {
    rule.lastIndex = place;
    const match = rule.exec(text);
    if (match !== null) return { kind, text: match[0] };
  }
  throw new RangeError(`no token at ${place}`);
}

/** Comments of this kind nest in SQL, which no regular expression can follow. */
function blockComment(text: string, start: number): Token {
  let depth = 0;
  for (const mark of text.slice(start).matchAll(/\/\*|\*\//g)) {
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return { kind: 'comment', text: text.slice(start, start + mark.index + 2) };
  }
  return { kind: 'comment', text: text.slice(start) };
}
