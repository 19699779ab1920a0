/**
 * Goal: `npm run backup:cli …` means what was typed, with and without `--`.
 * Method: the real npm runs a script that prints its arguments and environment; the pure function turns them back.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { recoverNpmFlags } from '../../src/cli/npm-flags.ts';
import { flagName } from '../../src/cli/options.ts';
import { GLOBAL_OPTIONS } from '../../src/cli/globals.ts';
import { editDistance } from '../../src/domain/nearest-name.ts';
import type { LifeboatError } from '../../src/domain/errors.ts';
import { caught } from '../support/caught.ts';
import { MANUAL_COMMANDS } from '../support/manual-commands.ts';

const ID = 'backup-2024-01-15T10-30-00-000Z';
const run = promisify(execFile);
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lifeboat-npm-'));
  const scripts = { 'backup:cli': 'node print.mjs', other: 'node print.mjs' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'x', private: true, scripts }));
  writeFileSync(
    join(folder, 'print.mjs'),
    'console.log(JSON.stringify({ argv: process.argv.slice(2), env: process.env }));',
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

async function throughNpm(
  line: readonly string[] | string,
  script = 'backup:cli',
): Promise<{ argv: string[]; env: Record<string, string> }> {
  // npm's own variables of an outer `npm test` would say that options were typed which were not.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(config_(?!cache|userconfig|globalconfig|prefix)|lifecycle)/.test(name),
    ),
  );
  const words =
    typeof line === 'string'
      ? ['-c', `npm --silent run ${script} ${line}`]
      : ['-c', 'npm --silent run "$@"', 'npm', script, ...line];
  const { stdout } = await run('/bin/sh', words, { cwd: folder, env: { ...env, NODE_OPTIONS: '' } });
  const seen: { argv: string[]; env: Record<string, string> } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  // --silent keeps npm's banner out of stdout; it is not part of the case.
  return { argv: seen.argv, env: { ...seen.env, npm_config_loglevel: 'notice' } };
}

const recover = async (line: readonly string[] | string): Promise<readonly string[]> => {
  const { argv, env } = await throughNpm(line);
  return recoverNpmFlags(argv, env, MANUAL_COMMANDS);
};

/** Options and words apart: their order among each other means nothing to the program. */
const sorted = (words: readonly string[]): readonly string[] => [
  ...words.filter((word) => !word.startsWith('--')),
  ...words.filter((word) => word.startsWith('--')).toSorted(),
];

describe('the manual, word for word', () => {
  test.each([
    [`restore ${ID}`, ['restore', ID]],
    [`restore ${ID} --postgres`, ['restore', ID, '--postgres']],
    [`restore ${ID} --redis`, ['restore', ID, '--redis']],
    [
      `restore ${ID} \\\n  --drop-existing \\\n  --target-database enterprise_auth_restored \\\n  --stop-services`,
      ['restore', ID, '--drop-existing', '--stop-services', '--target-database=enterprise_auth_restored'],
    ],
    ['backup full', ['backup', 'full']],
  ])('%s', async (line, expected) => {
    expect(sorted(await recover(line))).toEqual(expected);
  });
});

describe('beyond the manual', () => {
  test.each([
    [`restore --target-database X ${ID}`, ['restore', ID, '--target-database=X']],
    [`restore ${ID} --target-database=X --json`, ['restore', ID, '--json', '--target-database=X']],
    [`restore latest --postgres --redis --dry-run`, ['restore', 'latest', '--dry-run', '--postgres', '--redis']],
    [
      `restore ${ID} --to-time 2024-01-15T10:30:00Z --keys 'session:*'`,
      ['restore', ID, '--keys=session:*', '--to-time=2024-01-15T10:30:00Z'],
    ],
    [`restore ${ID} --table a.b --table c.d`, ['restore', ID, '--table=a.b', '--table=c.d']],
    [`restore ${ID} --table=a.b --table=c.d`, ['restore', ID, '--table=a.b', '--table=c.d']],
    ['backup list --kind full --output json', ['backup', 'list', '--kind=full', '--output=json']],
    ['backup full --label tier=gold --hold', ['backup', 'full', '--hold', '--label=tier=gold']],
    ['dr test nightly --mode graceful', ['dr', 'test', 'nightly', '--mode=graceful']],
    ['restore undo run-1', ['restore', 'undo', 'run-1']],
  ])('%s', async (line, expected) => {
    expect(sorted(await recover(line))).toEqual(expected);
  });

  test('with -- in front nothing is changed', async () => {
    const line = ['--', 'restore', ID, '--drop-existing', '--target-database', 'X', '--stop-services', '--json'];
    expect(await recover(line)).toEqual(line.slice(1));
  });

  test('options on both sides of -- are joined', async () => {
    expect(sorted(await recover(`--json restore ${ID} -- --drop-existing --target-database X`))).toEqual([
      'restore',
      ID,
      'X',
      '--drop-existing',
      '--json',
      '--target-database',
    ]);
  });

  test('another script is left alone', async () => {
    const { argv, env } = await throughNpm(`restore ${ID} --drop-existing`, 'other');
    expect(recoverNpmFlags(argv, env, MANUAL_COMMANDS)).toEqual(['restore', ID]);
  });

  test('--yes is not taken from npm, whose own setting it may be', async () => {
    expect(await recover(`restore ${ID} --drop-existing --yes`)).toEqual(['restore', '--drop-existing', ID]);
  });
});

const refusal = (line: string): Promise<LifeboatError> => caught(() => recover(line));

describe('what is refused', () => {
  test.each([
    [`restore ${ID} --target-database`, `type: npm run backup:cli -- restore <backup> --target-database <name>`],
    [`restore ${ID} --target-database A --keys B`, 'or'],
    [`restore latest --target-database ${ID}`, `npm run backup:cli -- restore latest --target-database ${ID}`],
    [`restore X --target-database Y`, 'type: npm run backup:cli -- restore <backup>'],
    [`restore ${ID} --target-database X Y`, 'type: npm run backup:cli -- restore <backup>'],
  ])('%s is ambiguous, and the line to type is told', async (line, hint) => {
    const error = await refusal(line);
    expect(error.code).toBe('USAGE_AMBIGUOUS');
    expect(error.rule.exit).toBe(2);
    expect(error.hint).toContain(hint);
  });

  test('two readings are both told', async () => {
    const { hint } = await refusal(`restore ${ID} --target-database A --keys B`);
    expect(hint).toContain(`restore ${ID} --target-database A --keys B`);
    expect(hint).toContain(`restore ${ID} --target-database B --keys A`);
  });

  test.each([
    [`restore ${ID} --drop-exsting`, 'did you mean --drop-existing?'],
    ['backup list --drop-existing', 'unknown option --drop-existing for backup list'],
    [`restore ${ID} --hold`, 'unknown option --hold for restore'],
  ])('%s, which npm would swallow, is named', async (line, message) => {
    const error = await refusal(line);
    expect(error.code).toBe('USAGE_INVALID');
    expect(error.message).toContain(message);
  });
});

/** npm's own definitions, wherever this npm keeps them. */
async function npmSettings(): Promise<readonly string[]> {
  const { stdout } = await run('/bin/sh', ['-c', 'command -v npm']);
  let home = dirname(realpathSync(stdout.trim()));
  while (!existsSync(join(home, 'node_modules/@npmcli/config')) && home !== '/') home = dirname(home);
  const load = createRequire(join(home, 'package.json'));
  const { definitions }: { definitions: object } = load('@npmcli/config/lib/definitions');
  expect(readFileSync(join(home, 'package.json'), 'utf8')).toContain('"name": "npm"');
  return Object.keys(definitions);
}

test('no setting that npm may hold by itself is taken for a typing error', async () => {
  const settings = await npmSettings();
  const { COMMANDS } = await import('../../src/cli/registry.ts');
  expect(settings.length).toBeGreaterThan(100);
  for (const command of [...MANUAL_COMMANDS, ...COMMANDS]) {
    const own = Object.keys({ ...GLOBAL_OPTIONS, ...command.options }).map((key) => flagName(key).slice(2));
    for (const setting of settings.filter(
      (name) => !own.includes(name) && own.some((option) => editDistance(name, option) <= 2),
    )) {
      const env = { npm_lifecycle_event: 'backup:cli', [`npm_config_${setting.replaceAll('-', '_')}`]: 'x' };
      const words = command.name.split(' ');
      expect([setting, recoverNpmFlags(words, env, [...MANUAL_COMMANDS, ...COMMANDS])]).toEqual([setting, words]);
    }
  }
});
