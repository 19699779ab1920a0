/**
 * What is run before every commit: types, lint, format, dead code, and the tests that need no server; layers are among these.
 * Prints each failure with the command that shows or fixes it; silent parts passed.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NODE_FLAGS = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const JEST = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
/** What the compiler found the last time: it looks again only at what has changed since, and at what depends on that. */
const TYPES_SEEN = join(ROOT, 'node_modules', '.cache', 'check.tsbuildinfo');
/** What histories are replayed by, and they themselves: where all of it is as when they last passed, they are not replayed again. */
const REPLAY_INPUT = '{src/{workflows,contract,domain,temporal},test/replay,test/support/workflows}/**/*.{ts,json}';
const REPLAY_SEEN = join(ROOT, 'node_modules', '.cache', 'check.replayed');
const replayDigest = digestOf([...globSync(REPLAY_INPUT, { cwd: ROOT }), 'package-lock.json']);
const isReplayed = replayDigest === readIfThere(REPLAY_SEEN);
const bin = (name) => join(ROOT, 'node_modules', '.bin', name);

/**
 * Tests of more than a second or two of processor time: the compiler asked about every key, values of many megabytes, whole repositories
 * that are written, copied and cleaned up while everything in turn dies. `npm test` runs them.
 */
const LEFT_TO_NPM_TEST = [
  'architecture/configuration',
  'unit/encryption/data-key',
  'unit/redis-journal/spill-queue',
  'unit/redis-values/digest',
  'unit/redis-values/dump-stream',
  'unit/redis/large-values',
  'unit/redis/rdb-walk',
  'unit/repository/cleanup',
  'unit/repository/journals',
  'unit/repository/keys',
  'unit/repository/replicate',
  'unit/repository/repository',
  'unit/repository/target-cleanup',
];
/** More at once than cores would only make each wait for the others, and tests with a time limit fail. */
const AT_ONCE = availableParallelism();

/** The tests come last: they use every core by themselves. */
const PARTS = [
  {
    name: 'types',
    command: [bin('tsc'), '--noEmit', '--incremental', '--tsBuildInfoFile', TYPES_SEEN],
    fix: 'npx tsc --noEmit',
  },
  { name: 'lint', command: [bin('oxlint'), '--type-aware', '--quiet'], fix: 'npx oxlint --type-aware --fix' },
  { name: 'format', command: [bin('oxfmt'), '--check'], fix: 'npx oxfmt' },
  { name: 'dead code', command: [bin('knip')], fix: 'remove what nothing uses, or `npx knip --fix`' },
  {
    name: 'tests',
    command: [
      process.execPath,
      ...NODE_FLAGS,
      JEST,
      '--selectProjects',
      'unit',
      'architecture',
      ...(isReplayed ? [] : ['replay']),
      '--maxWorkers=100%',
      `--testPathIgnorePatterns=${LEFT_TO_NPM_TEST.join('|')}`,
      '--passWithNoTests',
      '--silent',
    ],
    // Properties are tried a tenth as often as by `npm test`.
    env: { TEST_FEW_RUNS: '1' },
    fix: 'npm test -- unit architecture replay',
  },
];

const started = Date.now();
const waiting = PARTS.values();
const results = [];
await Promise.all(Array.from({ length: AT_ONCE }, workOff));
const failed = results.filter(({ code }) => code !== 0);
for (const { name, output, fix } of failed) console.log(`\n── ${name}\n${output.trim()}\n→ ${fix}`);
const times = results.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(', ');
console.log(`\n${failed.length === 0 ? 'all good' : `${failed.length} of ${results.length} failed`}: ${times}`);
if (isReplayed) console.log('histories: unchanged since they were replayed, and so are the workflows');
if (failed.length === 0 && !isReplayed) {
  mkdirSync(dirname(REPLAY_SEEN), { recursive: true });
  writeFileSync(REPLAY_SEEN, replayDigest);
}
console.log(`check took ${((Date.now() - started) / 1000).toFixed(1)} s`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function workOff() {
  for (const part of waiting) results.push(await runPart(part));
}

function runPart(part) {
  return new Promise((resolve) => {
    const from = Date.now();
    const env = { ...process.env, ...part.env };
    const child = spawn(part.command[0], part.command.slice(1), { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    const settle = (code) => resolve({ ...part, code, output, seconds: (Date.now() - from) / 1000 });
    child.once('error', (error) => {
      output += error.message;
      settle(1);
    });
    child.once('close', settle);
  });
}

function digestOf(files) {
  const hash = createHash('sha256');
  for (const file of files.toSorted())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update('\0');
  return hash.digest('hex');
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
