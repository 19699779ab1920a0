import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMMANDS } from '../../src/cli/registry.ts';
import {
  alertsWorkflowId,
  besideWorkflowId,
  cleanupTargetWorkflowId,
  copyJournalsWorkflowId,
  copyWorkflowId,
  drillWorkflowId,
  groupWorkflowId,
  journalWorkflowId,
  planStepWorkflowId,
  QUERIES,
  scheduledWorkflowId,
  scheduleId,
  SEARCH_ATTRIBUTES,
  SIGNALS,
  taskQueue,
  UPDATES,
  WORKFLOWS,
} from '../../src/contract/names.ts';

/**
 * Goal: documents point at things that exist, and say what the code says.
 * Method: links are followed, folders, commands and names are looked up, in both directions where both can be listed.
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const documents = [...globSync('*.md', { cwd: ROOT }), ...globSync('{docs,bench}/**/*.md', { cwd: ROOT })].toSorted();

/** Targets of Markdown links outside code, without those that leave the project. */
function links(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** Headings as the anchors that hosts make of them. */
function anchors(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function isBroken(document: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? document : relative(ROOT, resolve(ROOT, dirname(document), decodeURI(path)));
  if (target.startsWith('..') || !existsSync(join(ROOT, target))) return true;
  return anchor !== undefined && target.endsWith('.md') && !anchors(read(target)).includes(anchor);
}

/** Command lines of the program inside code blocks, as words behind its name. */
function commandLines(text: string): string[] {
  const blocks = [...text.matchAll(/^```(?:bash|console)\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
  const starts =
    /^(?:\$ )?(?:node src\/cli\/main\.ts|npx lifeboat|lifeboat|npm (?:--silent )?run backup:cli(?: --)?) +(.+)$/gm;
  return blocks.flatMap((block) => [...block.matchAll(starts)].map(([, words = '']) => words));
}

function isKnown(line: string): boolean {
  if (/^--(help|version)\b/.test(line)) return true;
  return COMMANDS.some(({ name }) => line === name || line.startsWith(`${name} `));
}

test.each(documents)('every link of %s leads somewhere', (document) => {
  expect(links(read(document)).filter((link) => isBroken(document, link))).toEqual([]);
});

test('a broken link, a broken anchor and a link in code are told apart', () => {
  const text =
    '[a](ARCHITECTURE.md) [b](nowhere.md) [c](ARCHITECTURE.md#code-map) [d](ARCHITECTURE.md#not-there) `[e](nowhere.md)`';
  expect(links(text).filter((link) => isBroken('README.md', link))).toEqual([
    'nowhere.md',
    'ARCHITECTURE.md#not-there',
  ]);
});

test('the code map names every folder of src, and no other, in at most 300 lines', () => {
  const text = read('ARCHITECTURE.md');
  const named = [...text.matchAll(/^### `src\/([a-z]+)`$/gm)].map(([, folder = '']) => folder);
  const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(named.toSorted()).toEqual(folders.map(({ name }) => name).toSorted());
  expect(text.split('\n').length).toBeLessThanOrEqual(300);
  expect(text.match(/^Invariant: /gm)?.length).toBeGreaterThan(10);
});

test.each(documents.filter((document) => !document.startsWith('docs/reference/')))(
  'every command in %s exists',
  (document) => {
    expect(commandLines(read(document)).filter((line) => !isKnown(line))).toEqual([]);
  },
);

test('the README shows commands, and an unknown one would be noticed', () => {
  expect(commandLines(read('README.md')).length).toBeGreaterThan(10);
  expect(commandLines('```bash\nlifeboat backup everything\n```\n').filter((line) => !isKnown(line))).toEqual([
    'backup everything',
  ]);
});

describe('docs/reference/durable-names.md', () => {
  const page = read('docs/reference/durable-names.md');
  const section = (title: string): string[] => {
    const text = page.split(/^## /m).find((part) => part.startsWith(title)) ?? '';
    return [...text.matchAll(/^\| (`.+?`) \|/gm)].flatMap(([, names = '']) =>
      [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
    );
  };

  test.each([
    ['Workflow types', Object.values(WORKFLOWS)],
    ['Search attributes', Object.values(SEARCH_ATTRIBUTES)],
    ['Signals', Object.values(SIGNALS)],
    ['Updates', Object.values(UPDATES)],
    ['Queries', Object.values(QUERIES)],
    [
      'Task queues',
      (['control', 'data', 'journal', 'copy'] as const).flatMap((role) => [
        taskQueue(role, 'default'),
        taskQueue(role, '<group>'),
      ]),
    ],
    [
      'Workflow ids',
      [
        groupWorkflowId('<group>'),
        besideWorkflowId('<group>', '<what>', '<request>'),
        copyWorkflowId('<group>', '<target>', '<backup>'),
        planStepWorkflowId('<group>', '<run>'),
        drillWorkflowId('<group>'),
        cleanupTargetWorkflowId('<group>', '<target>', false),
        cleanupTargetWorkflowId('<group>', '<target>', true),
        copyJournalsWorkflowId('<group>', '<target>'),
        alertsWorkflowId('<group>'),
        journalWorkflowId('postgres', '<group>'),
        journalWorkflowId('redis', '<group>'),
        scheduledWorkflowId('<group>', '<name>'),
      ],
    ],
    ['Schedule ids', [scheduleId('<group>', '<name>')]],
  ])('%s are those of src/contract/names.ts', (title, names) => {
    expect(section(title).toSorted()).toEqual([...names].toSorted());
  });
});

test('every guide and every decision is linked from a document that people read first', () => {
  const readFirst = [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'docs/adr/README.md',
    'docs/runbooks/README.md',
  ];
  const entrances = readFirst.map(read).join('\n');
  const pages = globSync('docs/{guides,adr,runbooks}/*.md', { cwd: ROOT }).filter(
    (path) => !path.endsWith('README.md'),
  );
  expect(pages.filter((path) => !entrances.includes(path.split('/').at(-1) ?? path))).toEqual([]);
});

test('files that are named as slow, or as to be run alone, are there', () => {
  const named = (path: string, declared: RegExp): string[] => {
    const [, list = ''] = declared.exec(read(path)) ?? [];
    return [...list.matchAll(/[\w/-]+/g)].map(([name]) => name);
  };
  const names = [
    ...named('test/support/longest-first.mjs', /LONGEST = \[([^\]]*)\]/),
    ...named('scripts/run-tests.mjs', /ALONE = '([^']*)'/),
    ...named('scripts/check.mjs', /LEFT_TO_NPM_TEST = \[([^\]]*)\]/),
  ];
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => globSync(`test/**/${name}.test.ts`, { cwd: ROOT }).length !== 1)).toEqual([]);
});
