import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MainResult, onlyObject, runMain } from '../../support/run-main.ts';

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'lifeboat-main-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const run = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<MainResult> =>
  runMain(argv, { cwd, env });

test('with --json stdout is one object, for an answer, a usage error and a failure alike', async () => {
  const good = await run(['config', 'show', '--json']);
  expect([good.exit, good.err]).toEqual([0, '']);
  expect(onlyObject(good.out)).toMatchObject({ ok: true, file: null, config: { group: 'default' } });

  const usage = await run(['config', 'shw', '--output', 'json']);
  expect([usage.exit, usage.err]).toEqual([2, '']);
  expect(onlyObject(usage.out)).toEqual({
    ok: false,
    error: {
      code: 'USAGE_INVALID',
      message: expect.stringContaining('show'),
      hint: expect.any(String),
      retry: 'never',
      details: {},
    },
  });

  const failure = await run(['--json', 'config', 'show'], { BACKUP_PTH: 'x' });
  expect([failure.exit, failure.err]).toEqual([2, '']);
  expect(onlyObject(failure.out)).toMatchObject({
    ok: false,
    error: { code: 'CONFIG_INVALID', details: { problems: [expect.stringContaining('BACKUP_PATH')] } },
  });
});

test('through npm, which takes --json for itself, stdout is one object too', async () => {
  const { out } = await run(['config', 'show'], { npm_lifecycle_event: 'backup:cli', npm_config_json: 'true' });
  expect(onlyObject(out)).toMatchObject({ ok: true });
});

test('without --json the answer is on stdout, everything else on stderr', async () => {
  writeFileSync(join(cwd, 'c.json'), JSON.stringify({ redis: { password: 'literal' } }));
  const good = await run(['config', 'show', '--config', 'c.json']);
  expect(good.exit).toBe(0);
  expect(good.out).toMatch(/redis\.password +\*{8} +file c\.json/);
  expect(good.err).toMatch(/^warning: redis\.password holds a secret in c\.json/);
  const bad = await run(['config', 'show'], { BACKUP_PTH: 'x', LIFEBOAT_JBS: '1' });
  expect(bad.out).toBe('');
  expect(bad.err).toContain('  - BACKUP_PTH: unknown environment variable; did you mean BACKUP_PATH?\n');
  expect(bad.err).toContain('  code: CONFIG_INVALID\n');
});

test('no secret is in anything that config show prints', async () => {
  const canary = 'c4n4ry';
  const env = {
    DATABASE_URL: `postgres://u:${canary}@h/d`,
    REDIS_URL: `redis://:${canary}@h`,
    REMOTE_STORAGE_SECRET_KEY: canary,
    LIFEBOAT_TOKEN: canary,
  };
  for (const argv of [
    ['config', 'show'],
    ['config', 'show', '--json'],
  ]) {
    const { out, err, exit } = await run(argv, env);
    expect(exit).toBe(0);
    expect(out + err).not.toContain(canary);
    expect(out).toContain('postgres://u:********@h/d');
  }
});

test('a wrong configuration is a failed check of config validate, one for each problem', async () => {
  const { out, exit } = await run(['config', 'validate', '--json'], {
    BACKUP_PTH: 'x',
    BACKUP_COMPRESSION_LEVEL: '77',
  });
  expect(exit).toBe(2);
  const wrong = { name: 'configuration', status: 'fail', message: expect.any(String), hint: expect.any(String) };
  expect(onlyObject(out)['checks']).toEqual([wrong, wrong]);
});

test('colour is off without a terminal, and NO_COLOR wins over FORCE_COLOR', async () => {
  expect((await run(['config', 'show'])).out).not.toContain('\u001B');
  expect((await run(['config', 'show'], { FORCE_COLOR: '1' })).out).toContain('\u001B');
  expect((await run(['config', 'show'], { FORCE_COLOR: '1', NO_COLOR: '1' })).out).not.toContain('\u001B');
});

test('keys are made once, for their owner alone, and never written over', async () => {
  const made = await run(['key', 'generate', '--json']);
  expect(made.exit).toBe(0);
  expect(onlyObject(made.out)['keys']).toEqual([
    {
      purpose: 'encryption',
      path: join(cwd, 'config/backup-encryption.key'),
      id: expect.any(String),
      publicKeyPath: null,
    },
    {
      purpose: 'signing',
      path: join(cwd, 'config/lifeboat-signing.key'),
      id: expect.stringMatching(/^[0-9A-F]{16}$/),
      publicKeyPath: join(cwd, 'config/lifeboat-signing.key.pub'),
    },
  ]);
  const again = await run(['key', 'generate', '--json']);
  expect([again.exit, onlyObject(again.out)]).toMatchObject([2, { error: { code: 'KEY_FILE_EXISTS' } }]);
});

test('help goes to stdout and is a success; nothing to do is a usage error', async () => {
  const help = await run(['--help']);
  expect([help.exit, help.err]).toEqual([0, '']);
  expect(help.out).toContain('config');
  expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  const nothing = await run([]);
  expect([nothing.exit, nothing.out]).toEqual([2, '']);
});
