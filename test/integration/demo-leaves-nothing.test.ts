/**
 * Goal: the demo proves what it says and leaves nothing behind, however it ends; and `--keep` leaves all of it, until `down`.
 * Method: the real command on real servers, run to its end, interrupted, and killed; then every process of this machine is looked at.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { serverPlace } from '../../src/embedded/places.ts';
import { inheritedEnvironment } from '../../src/platform/environment.ts';
import { resolveTools } from '../support/tools.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const LIMIT_MS = 240_000;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lifeboat-test-demo-'));
});

afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  /** Resolves when stderr has shown the text. */
  shown(text: string): Promise<void>;
}

async function lifeboat(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<Run> {
  const tools = resolveTools();
  const env = {
    ...inheritedEnvironment(),
    LIFEBOAT_HOME: home,
    LIFEBOAT_TEMPORAL_CLI: await tools.temporalCli(),
    LIFEBOAT_POSTGRES_BIN_DIR: (await tools.postgres(18)).binDir,
    LIFEBOAT_REDIS_SERVER: (await tools.redis('7')).serverPath,
    ...variables,
  };
  const child = spawn(process.execPath, [MAIN, ...args], { env, cwd: home, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const ended = new Promise<Awaited<Run['ended']>>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return {
    child,
    ended,
    async shown(text) {
      while (!stderr.includes(text)) {
        if (child.exitCode !== null) throw new Error(`ended before it showed ${text}: ${stderr}`);
        await delay(50);
      }
    },
  };
}

async function runFolders(): Promise<string[]> {
  const names = await readdir(join(home, 'demos')).catch(() => []);
  return names.map((name) => join(home, 'demos', name));
}

/** Pids of all processes that name the folder, or the place moved out of it, in their arguments, environment or directory. */
async function processesOf(folder: string): Promise<string[]> {
  const { folder: place } = await serverPlace(folder);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      // A process may end while it is looked at.
      const text = await Promise.all(
        ['cmdline', 'environ'].map((file) => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '')),
      );
      return text.some((part) => part.includes(folder) || part.includes(place)) ? [pid] : [];
    }),
  );
  return found.flat();
}

async function noneLeft(folder: string): Promise<string[]> {
  const deadline = Date.now() + 15_000;
  let left = await processesOf(folder);
  while (left.length > 0 && Date.now() < deadline) {
    await delay(100);
    left = await processesOf(folder);
  }
  return left;
}

test(
  'with --keep all that was proven stays to be looked at, until down',
  async () => {
    const { code, stdout, stderr } = await (await lifeboat(['demo', '--keep', '--json'])).ended;
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({
      ok: true,
      identical: true,
      differences: [],
      backup: { backup: { encrypted: true, signed: true } },
      verify: { problems: [] },
    });
    expect(answer.compared.rows).toBeGreaterThan(700_000);
    expect(answer.damage).toMatch(/tables, \d+ definitions, \d+ keys/);

    const { folder, environmentFile } = answer.kept;
    expect((await processesOf(folder)).length).toBeGreaterThan(3);
    const lines = (await readFile(environmentFile, 'utf8')).matchAll(/^export (\w+)='(.*)'$/gm);
    const variables = Object.fromEntries([...lines].map(([, name = '', text = '']) => [name, text]));
    expect(variables['LIFEBOAT_HOME']).toBe(folder);
    const listed = await (await lifeboat(['backup', 'list', '--json'], variables)).ended;
    expect(JSON.parse(listed.stdout).backups.map(({ id }: { id: string }) => id)).toContain(answer.backup.backup.id);
    await expect((await lifeboat(['down'], variables)).ended).resolves.toMatchObject({ code: 0 });
    expect(await noneLeft(folder)).toEqual([]);
  },
  LIMIT_MS,
);

test(
  'two at once, one interrupted and one killed: no process of either is left, and no file of the first',
  async () => {
    const before = await runFolders();
    const interrupted = await lifeboat(['demo']);
    await interrupted.shown('generated data');
    const [first = ''] = (await runFolders()).filter((folder) => !before.includes(folder));
    const killed = await lifeboat(['demo']);
    await Promise.all([interrupted.shown('$ lifeboat backup full'), killed.shown('$ lifeboat backup full')]);
    const [second = ''] = (await runFolders()).filter((folder) => folder !== first && !before.includes(folder));
    expect(dirname(second)).toBe(join(home, 'demos'));

    killed.child.kill('SIGKILL');
    if (interrupted.child.exitCode === null) interrupted.child.kill('SIGINT');
    const { code, stderr } = await interrupted.ended;
    expect([code, stderr.includes('INTERRUPTED')]).toEqual([130, true]);
    expect(await noneLeft(first)).toEqual([]);
    expect(await noneLeft(second)).toEqual([]);
    expect(await runFolders()).not.toContain(first);
  },
  LIMIT_MS,
);

test(
  'the next demo removes what a killed one left on the disk, and ends with nothing of its own',
  async () => {
    const { code, stdout, stderr } = await (await lifeboat(['demo'])).ended;
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('identical');
    expect(await runFolders()).toEqual([]);
  },
  LIMIT_MS,
);
