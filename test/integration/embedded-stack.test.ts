/**
 * Goal: the local stack comes up once, stays up, heals, and ends completely.
 * Method: real Temporal, PostgreSQL and Redis in a private state folder; the worker is a stand-in that only says it is ready.
 */
import { mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { startDatabases } from '../../src/embedded/databases.ts';
import { serverPlace } from '../../src/embedded/places.ts';
import { ensureDatabases, ensureStack, stackStatus, stopStack, type StackOptions } from '../../src/embedded/stack.ts';
import { temporalServes } from '../../src/embedded/temporal-probe.ts';
import { createToolbox } from '../../src/embedded/toolbox.ts';
import { createPrivateFolder } from '../../src/platform/files.ts';
import { isPortFree } from '../../src/platform/ports.ts';
import { identifyProcess } from '../../src/platform/process-identity.ts';
import { PROVISIONED_STATE_DIR, whenAvailable } from '../support/tools.ts';

const describeStack = await whenAvailable('temporal', 'postgres 18', 'redis');

describeStack('the local stack', () => {
  let stateDir = '';
  let phases: string[] = [];
  const workerLog = (): string => join(stateDir, 'worker-starts');
  const options = (more: Partial<StackOptions> = {}): StackOptions => ({
    stateDir,
    workerEnv: { FAKE_WORKER_LOG: workerLog() },
    workerCwd: stateDir,
    configDigest: 'first',
    signal: new AbortController().signal,
    onPhase: (line) => phases.push(line),
    workerEntry: join(import.meta.dirname, '../support/programs/fake-worker.ts'),
    ...more,
  });
  const pidOf = async (name: string): Promise<number> => {
    const { services } = await stackStatus({ stateDir });
    return services.find((service) => service.name === name)?.pid ?? 0;
  };
  const workerStarts = async (): Promise<number> => (await readFile(workerLog(), 'utf8')).trim().split('\n').length;

  beforeEach(async () => {
    phases = [];
    stateDir = await createPrivateFolder('lifeboat-test-stack');
    // Programs are looked for below the state folder; those of the project are good here too.
    await linkTools(stateDir);
  });
  afterEach(async () => {
    await stopStack({ stateDir, onPhase: () => undefined });
    // As root, below a private folder, PostgreSQL has a place of its own.
    const { folder } = await serverPlace(stateDir);
    await Promise.all([stateDir, folder].map(async (path) => rm(path, { recursive: true, force: true })));
  });

  test('starts Temporal and a worker, and says where they are', async () => {
    const status = await ensureStack(options());
    expect(status.services.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'worker running',
      'temporal running',
    ]);
    expect(await temporalServes(status.temporalAddress ?? '')).toBe(true);
    expect((await fetch(status.uiUrl ?? '')).status).toBe(200);
    expect((await stat(join(stateDir, 'temporal'))).mode & 0o777).toBe(0o700);
    expect(await readFile(workerLog(), 'utf8')).toBe(`started ${status.temporalAddress}\n`);
  });

  test("gives its worker nothing of a person's settings for another Temporal", async () => {
    const person = {
      TEMPORAL_TLS: 'true',
      TEMPORAL_API_KEY: 'key',
      TEMPORAL_NAMESPACE: 'prod',
      TEMPORAL_PROFILE: 'cloud',
    };
    const { temporalAddress } = await ensureStack(options({ workerEnv: { ...options().workerEnv, ...person } }));
    const variables = (await readFile(`/proc/${await pidOf('worker')}/environ`, 'utf8')).split('\0');
    expect(variables.filter((variable) => variable.startsWith('TEMPORAL_')).toSorted()).toEqual([
      `TEMPORAL_ADDRESS=${temporalAddress}`,
      'TEMPORAL_CONFIG_FILE=/nonexistent/temporal.toml',
      'TEMPORAL_NAMESPACE=default',
    ]);
  });

  test('is one stack when two are asked for at once', async () => {
    const [one, two] = await Promise.all([ensureStack(options()), ensureStack(options())]);
    expect(two).toEqual(one);
    expect(await workerStarts()).toBe(1);
  });

  test('leaves what runs alone, and replaces a worker whose configuration has changed', async () => {
    const first = await ensureStack(options());
    expect(await ensureStack(options())).toEqual(first);
    const temporal = await pidOf('temporal');
    const worker = await pidOf('worker');
    await ensureStack(options({ configDigest: 'second' }));
    expect(await pidOf('temporal')).toBe(temporal);
    expect(await pidOf('worker')).not.toBe(worker);
    expect(await identifyProcess(worker)).toBeUndefined();
  });

  test('starts again what has died, Temporal at its old address', async () => {
    const first = await ensureStack(options());
    process.kill(await pidOf('worker'), 'SIGKILL');
    process.kill(await pidOf('temporal'), 'SIGKILL');
    const healed = await ensureStack(options());
    expect(healed.temporalAddress).toBe(first.temporalAddress);
    expect(healed.services.every(({ state }) => state === 'running')).toBe(true);
    expect(await workerStarts()).toBe(2);
  });

  test('reports a worker that cannot start with its own words, and remembers no process', async () => {
    const starting = ensureStack(options({ workerEnv: { FAKE_WORKER_FAILS: '1' } }));
    await expect(starting).rejects.toMatchObject({
      code: 'SERVER_NOT_STARTED',
      message: expect.stringContaining('the configuration is wrong'),
    });
    const { services } = await stackStatus({ stateDir });
    expect(services.filter(({ state }) => state === 'running').map(({ name }) => name)).toEqual(['temporal']);
  });

  test('ends completely, and never signals a process that got a remembered pid', async () => {
    await ensureStack(options());
    const pids = [await pidOf('worker'), await pidOf('temporal')];
    expect(await stopStack({ stateDir, onPhase: () => undefined })).toEqual(['worker', 'temporal']);
    expect(await Promise.all(pids.map(identifyProcess))).toEqual([undefined, undefined]);
    expect((await stackStatus({ stateDir })).services).toEqual([]);

    const record = { pid: process.pid, ready: true, startedAt: 'another boot:1', since: new Date().toISOString() };
    await writeFile(join(stateDir, 'stack.json'), JSON.stringify({ version: 1, services: { worker: record } }));
    expect(await stopStack({ stateDir, onPhase: () => undefined })).toEqual([]);
  });

  test('refuses to guess what a damaged state file meant', async () => {
    await writeFile(join(stateDir, 'stack.json'), '{"version":1');
    await expect(stackStatus({ stateDir })).rejects.toMatchObject({ code: 'STACK_STATE_INVALID' });
    await rm(join(stateDir, 'stack.json'));
  });

  test('has ports of its own beside another stack that starts at the same moment', async () => {
    const other = await createPrivateFolder('lifeboat-test-stack');
    await linkTools(other);
    try {
      const [one, two] = await Promise.all([
        ensureStack(options()),
        ensureStack(options({ stateDir: other, workerCwd: other })),
      ]);
      expect(one.temporalAddress).not.toBe(two.temporalAddress);
      expect(one.services.concat(two.services).every(({ state }) => state === 'running')).toBe(true);
    } finally {
      await stopStack({ stateDir: other, onPhase: () => undefined });
      await rm(other, { recursive: true, force: true });
    }
  });

  test('has demo databases that end with the process which asked for them', async () => {
    const { signal, onPhase } = options();
    const databases = await startDatabases({ stateDir, signal, toolbox: createToolbox({ stateDir, signal, onPhase }) });
    expect(await isPortFree(databases.postgres.port)).toBe(false);
    expect(await isPortFree(databases.redis.port)).toBe(false);
    await databases.stop();
    expect(await isPortFree(databases.postgres.port)).toBe(true);
    expect(await isPortFree(databases.redis.port)).toBe(true);
    expect((await stackStatus({ stateDir })).services).toEqual([]);
  });

  test('keeps demo databases with their data over a stop and a start', async () => {
    const first = await ensureDatabases(options());
    const insert = async (sql: string): Promise<unknown[]> => {
      const client = new Client({ ...first.postgres, ssl: false });
      await client.connect();
      const { rows } = await client.query(sql);
      await client.end();
      return rows;
    };
    await insert('create table kept as select 42 as answer');
    await stopStack({ stateDir, onPhase: () => undefined });
    const second = await ensureDatabases(options());
    expect(second.postgres.password).toBe(first.postgres.password);
    expect(await insert('select answer from kept')).toEqual([{ answer: 42 }]);
  });
});

async function linkTools(stateDir: string): Promise<void> {
  await mkdir(join(PROVISIONED_STATE_DIR, 'tools'), { recursive: true });
  await symlink(join(PROVISIONED_STATE_DIR, 'tools'), join(stateDir, 'tools'));
}
