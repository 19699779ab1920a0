/**
 * Goal: the lines of the manual do what they say when they are typed as they stand there, without `--` for npm.
 * Method: the real npm, the real program, real servers; what happened is read from the databases and from what the services left.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_DIR } from '../../src/embedded/places.ts';
import { type CliResult, runCli } from '../support/product/run-cli.ts';
import { startProduct, type Product } from '../support/product.ts';
import { resolveTools, whenAvailable } from '../support/tools.ts';

const describeHere = await whenAvailable('temporal', 'postgres 18', 'redis');

describeHere('npm run backup:cli', () => {
  let product: Product;
  // --output=json, not --json: npm takes that for itself as well, and adds an object of its own after a failure.
  /** What the stop and start commands write, in the order in which they ran. */
  const diary = (): string => join(product.folder, 'diary');
  const npm = (line: string, env: Readonly<Record<string, string>> = {}): Promise<CliResult> =>
    runCli({
      command: ['/bin/sh', '-c', `npm --loglevel=notice run backup:cli ${line}`],
      args: [],
      cwd: PROJECT_DIR,
      env: { ...product.env, LIFEBOAT_CONFIG: join(product.folder, 'config/backup.json'), ...env },
    });

  beforeAll(async () => {
    const service = {
      name: 'app',
      stop: 'echo stopped >> "$PWD/diary"',
      start: ['/bin/sh', '-c', 'echo started >> "$PWD/diary"'],
    };
    const { binDir } = await resolveTools().postgres(18);
    product = await startProduct({ config: { services: [service] }, env: { LIFEBOAT_POSTGRES_BIN_DIR: binDir } });
  });
  afterAll(async () => product?.stop());

  test('config validate finds everything in order', async () => {
    const { exit, json, stderr } = await npm('config validate --output=json');
    expect([stderr, json['checks']?.filter(({ status }: { status: string }) => status === 'fail')]).toEqual([
      stderr,
      [],
    ]);
    const passed = json['checks']
      .filter(({ status }: { status: string }) => status === 'pass')
      .map(({ name }: { name: string }) => name);
    expect(passed).toEqual(
      expect.arrayContaining([
        'postgresql client tools',
        'postgresql connection',
        'postgresql rights',
        'postgresql wal',
        'redis connection',
        'redis method',
        'store',
        'store space',
        'service app',
        'temporal',
      ]),
    );
    expect([exit, json['ok']]).toEqual([0, true]);
  });

  test('restore with the options of the manual restores into the named database and leaves the live one alone', async () => {
    const full = await npm('backup full --output=json');
    expect([full.exit, full.stderr]).toEqual([0, full.stderr]);
    const before = await product.fingerprint();
    const id: string = full.json['backup'].id;
    const line = `restore ${id} --postgres \\\n  --drop-existing \\\n  --target-database enterprise_auth_restored \\\n  --stop-services --output=json`;
    const { exit, json, stderr } = await npm(line);
    expect([exit, json['ok'], stderr]).toEqual([0, true, stderr]);
    expect(json['restored']).toMatchObject({
      postgres: { database: 'enterprise_auth_restored', replaced: null },
      redis: null,
    });
    expect(await product.fingerprint()).toEqual(before);
    expect((await product.fingerprint('enterprise_auth_restored')).postgres).toEqual(before.postgres);
    expect(await readFile(diary(), 'utf8')).toBe('stopped\nstarted\n');
  });

  test('without --drop-existing what is there is refused, so the option did arrive before', async () => {
    const { exit, json } = await npm('restore latest --postgres --output=json');
    expect([exit, json['error']?.code]).toEqual([2, 'RESTORE_TARGET_NOT_EMPTY']);
  });

  test('an unknown backup is not found', async () => {
    const { exit, json } = await npm('restore backup-2024-01-15T10-30-00-000Z --redis --output=json');
    expect([exit, json['error']?.code]).toEqual([5, 'BACKUP_NOT_FOUND']);
    expect(json['error'].message).toContain('backup-2024-01-15T10-30-00-000Z');
  });

  test('an option that npm swallowed with a typing error in it stops the command', async () => {
    const { exit, json } = await npm('restore latest --drop-exsting --output=json');
    expect([exit, json['error']?.message]).toEqual([2, expect.stringContaining('did you mean --drop-existing?')]);
  });
});
