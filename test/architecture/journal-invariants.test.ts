/**
 * Goal: docs/journal-invariants.md names tests that there are, and leaves no invariant and no mistake without one or a reason.
 * Method: the files it links to are parsed, and each title beside a link is looked up among the titles of that file.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = 'docs/journal-invariants.md';
/** In a sentence of a reason; less is no reason. */
const REASON_WORDS = 5;

interface Row {
  readonly name: string;
  /** The last column: tests, or why there is none. */
  readonly proof: string;
}

function rowsOf(page: string): Row[] {
  const lines = page.split('\n').filter((line) => /^\| (I?\d+) \|/.test(line));
  return lines.map((line) => {
    const cells = line.split(' | ');
    return { name: cells[0]!.replace(/^\| /, ''), proof: cells.at(-1)!.replace(/ \|$/, '') };
  });
}

/** Title by title, with the file of the link before it. */
function testsIn({ proof }: Row): { readonly file: string; readonly title: string }[] {
  const links = [...proof.matchAll(/\[[^\]]+\]\(([^)]+)\)/g)];
  return links.flatMap((link, index) => {
    const text = proof.slice(link.index + link[0].length, links[index + 1]?.index ?? proof.length);
    const file = join(dirname(PAGE), link[1]!);
    return [...text.matchAll(/\*([^*]+)\*/g)].map(([, title = '']) => ({ file, title }));
  });
}

/** First arguments of calls that are given a function: titles, with `…` for what is filled in. */
function titlesOf(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.arguments.some(isFunction)) titles.push(titleOf(node.arguments[0]!));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return titles;
}

const isFunction = (node: ts.Node): boolean => ts.isArrowFunction(node) || ts.isFunctionExpression(node);

function titleOf(node: ts.Expression): string {
  if (ts.isStringLiteralLike(node)) return node.text.replaceAll(/%[sijdp]/g, '…');
  if (!ts.isTemplateExpression(node)) return '';
  return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
}

/** `…` of the page stands for anything. */
function isNamed(title: string, titles: readonly string[]): boolean {
  const escaped = title.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  const pattern = new RegExp(`^${escaped.join('.*')}$`);
  return titles.some((one) => pattern.test(one));
}

const page = readFileSync(join(ROOT, PAGE), 'utf8');
const rows = rowsOf(page);

test('every invariant and every mistake has a line', () => {
  const numbers = Array.from({ length: 15 }, (_, index) => index + 1);
  expect(rows.map(({ name }) => name)).toEqual([...numbers.map((n) => `I${n}`), ...numbers.map(String)]);
});

test.each(rows)('$name has a test that there is, or a reason', (row) => {
  const tests = testsIn(row);
  expect(tests.filter(({ file, title }) => !isNamed(title, titlesOf(file)))).toEqual([]);
  if (tests.length === 0) expect(row.proof.split(/\s+/).length).toBeGreaterThanOrEqual(REASON_WORDS);
});

test('a title that no test has would be noticed, and one that only begins the same as well', () => {
  const row = {
    name: 'I0',
    proof: '[a](../test/unit/lsn.test.ts) *is not there*; [b](../test/unit/lsn.test.ts) *nor …*',
  };
  expect(testsIn(row)).toHaveLength(2);
  expect(testsIn(row).filter(({ file, title }) => isNamed(title, titlesOf(file)))).toEqual([]);
  expect(isNamed('a test of …', ['a test of 5', 'another'])).toBe(true);
  expect(isNamed('a test', ['a test of 5'])).toBe(false);
});
