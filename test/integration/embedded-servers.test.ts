/**
 * Goal: servers that a process starts for itself answer, keep their data over a restart and kill -9, and never outlive it.
 * Method: each supported version is started for real; for the last promise a process with servers is killed with -9.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createPrivateFolder } from '../../src/platform/files.ts';
import { identifyProcess } from '../../src/platform/process-identity.ts';
import { startPostgres, startRedis } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';

const describeEach = await whenAvailable('postgres 16', 'postgres 17', 'postgres 18', 'redis', 'redis 6.2', 'temporal');

describeEach('a local server', () => {
  test.each([16, 17, 18] as const)('of PostgreSQL %i keeps its data over kill -9 and a restart', async (major) => {
    const server = await startPostgres({ major, settings: { log_min_messages: 'warning' } });
    try {
      const { rows } = await server.query<{ version: string }>("select current_setting('server_version') as version");
      expect(rows[0]?.version).toMatch(new RegExp(`^${major}\\.`));
      await server.query('create table kept as select generate_series(1, 100) as i');
      await server.query('checkpoint');
      await server.kill();
      await server.restart({ work_mem: '5MB' });
      const after = await server.query("select count(*)::int as n, current_setting('work_mem') as m from kept");
      expect(after.rows).toEqual([{ n: 100, m: '5MB' }]);
    } finally {
      await server.stop();
    }
    expect(await identifyProcess(server.pid)).toBeUndefined();
  });

  test.each([undefined, '6.2'] as const)(
    'of Redis (version: %p) asks for its password and keeps its keys',
    async (version) => {
      const options = {
        password: 'open-sesame',
        args: ['--appendonly', 'yes'],
        ...(version === undefined ? {} : { version }),
      };
      const server = await startRedis(options);
      try {
        expect(await server.cli('set', 'key', 'value')).toBe('OK');
        await server.restart();
        expect(await server.cli('get', 'key')).toBe('value');
        expect(server.target.password).toBe('open-sesame');
      } finally {
        await server.stop();
      }
    },
  );

  test('does not outlive kill -9 of the process that started it', async () => {
    const program = join(import.meta.dirname, '../support/programs/start-servers-and-wait.ts');
    // Its files are left over, so they go where they can be removed; the servers' account must be able to enter.
    const folder = await createPrivateFolder('lifeboat-test-killed');
    await chmod(folder, 0o755);
    const env = { ...process.env, TMPDIR: folder };
    const parent = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'], env });
    const [line] = await once(parent.stdout, 'data');
    const pids: number[] = JSON.parse(String(line));
    expect(pids).toHaveLength(3);
    expect((await Promise.all(pids.map(identifyProcess))).every((identity) => identity !== undefined)).toBe(true);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await delay(2_000);
    expect(await Promise.all(pids.map(identifyProcess))).toEqual([undefined, undefined, undefined]);
    await rm(folder, { recursive: true, force: true });
  });
});
