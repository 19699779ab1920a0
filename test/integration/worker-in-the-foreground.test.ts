/**
 * Goal: a worker in the foreground keeps the memory promise of one in the background, and is the process that was started.
 * Method: the real command beside a real Temporal; what the kernel says of its pid, then SIGTERM.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PROJECT_DIR } from '../../src/embedded/places.ts';
import { WORKER_MEMORY } from '../../src/embedded/worker-memory.ts';
import { inheritedEnvironment } from '../../src/platform/environment.ts';
import { startTemporal, type TestTemporal } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';

const START_LIMIT_MS = 60_000;

const suite = await whenAvailable('temporal');
suite('lifeboat worker', () => {
  let temporal: TestTemporal;
  let folder = '';
  let child: ChildProcess | undefined;
  beforeAll(async () => {
    temporal = await startTemporal();
  });
  afterAll(async () => temporal.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-test-worker-'));
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ pid: number; exit: Promise<unknown> }> => {
    let said = '';
    const started = spawn(process.execPath, [join(PROJECT_DIR, 'src/cli/main.ts'), 'worker'], {
      cwd: folder,
      env: {
        ...inheritedEnvironment(),
        DATABASE_URL: 'postgres://postgres@127.0.0.1:1/none',
        LIFEBOAT_HOME: join(folder, 'home'),
        TEMPORAL_ADDRESS: temporal.address,
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child = started;
    started.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    const exit = new Promise((resolve) => started.once('close', (code, signal) => resolve(code ?? signal)));
    for (const deadline = Date.now() + START_LIMIT_MS; !said.includes('polls'); await delay(50)) {
      if (Date.now() > deadline || started.exitCode !== null) throw new Error(`the worker did not start: ${said}`);
    }
    return { pid: started.pid ?? 0, exit };
  };
  const proc = async (pid: number, name: string): Promise<string[]> =>
    (await readFile(`/proc/${pid}/${name}`, 'utf8')).split('\0');

  it('runs under its own pid with the settings that bound its memory, and ends in order on SIGTERM', async () => {
    const { pid, exit } = await start();
    expect(await proc(pid, 'cmdline')).toEqual(expect.arrayContaining([...WORKER_MEMORY.nodeArguments, 'worker']));
    const settings = Object.entries(WORKER_MEMORY.environment).map(([name, value]) => `${name}=${value}`);
    expect(await proc(pid, 'environ')).toEqual(expect.arrayContaining(settings));
    process.kill(pid, 'SIGTERM');
    expect(await exit).toBe(0);
  });

  it("leaves a person's own settings as they are", async () => {
    const { pid, exit } = await start({ MALLOC_ARENA_MAX: '5', NODE_OPTIONS: '--max-semi-space-size=8' });
    expect(await proc(pid, 'cmdline')).not.toEqual(expect.arrayContaining([...WORKER_MEMORY.nodeArguments]));
    expect(await proc(pid, 'environ')).toEqual(
      expect.arrayContaining(['MALLOC_ARENA_MAX=5', 'MALLOC_MMAP_THRESHOLD_=131072']),
    );
    process.kill(pid, 'SIGTERM');
    expect(await exit).toBe(0);
  });
});

it('the container image starts every command with the same settings of malloc', async () => {
  const dockerfile = await readFile(join(PROJECT_DIR, 'Dockerfile'), 'utf8');
  for (const [name, value] of Object.entries(WORKER_MEMORY.environment)) {
    expect(dockerfile).toMatch(new RegExp(`^ENV .*\\b${name}=${value}\\b`, 'm'));
  }
});
