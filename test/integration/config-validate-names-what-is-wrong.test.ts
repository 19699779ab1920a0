/**
 * Goal: `config validate` tries what the configuration says, and tells servers that do not answer from mistakes.
 * Method: it runs with nothing to protect, then with addresses at which nothing listens; its one object says what it found.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MainResult, onlyObject, runMain } from '../support/run-main.ts';

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'lifeboat-validate-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const run = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<MainResult> =>
  runMain(argv, { cwd, env });

test('with nothing to protect it is not usable, and stdout is one object all the same', async () => {
  const checks = await run(['config', 'validate', '--output=json']);
  expect(checks.exit).toBe(2);
  expect(onlyObject(checks.out)).toMatchObject({
    ok: false,
    error: { code: 'CONFIG_NOT_USABLE' },
    checks: expect.arrayContaining([expect.objectContaining({ name: 'store', status: 'pass' })]),
  });
}, 30_000);

test('servers that do not answer are told apart from mistakes', async () => {
  const { out, exit } = await run(['config', 'validate', '--json'], {
    REDIS_URL: 'redis://127.0.0.1:1',
    TEMPORAL_ADDRESS: '127.0.0.1:1',
  });
  expect(exit).toBe(7);
  expect(onlyObject(out)).toMatchObject({
    error: { code: 'CONFIG_UNREACHABLE', details: { failed: ['redis connection', 'temporal'] } },
  });
}, 30_000);
