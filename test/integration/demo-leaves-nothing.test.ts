/**
 * Goal: the demo proves what it says and leaves nothing behind, however it ends; and `--keep` leaves all of it, until `down`.
 * Method: the real command on real servers, run to its end, interrupted, and killed; then every process of this machine is looked at.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { access, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { serverPlace } from '../../src/embedded/places.ts';
import { inheritedEnvironment } from '../../src/platform/environment.ts';
import { resolveTools } from '../support/tools.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const LIMIT_MS = 300_000;
/** After a kill the watchers of the children need a moment. */
const PATIENCE_MS = 15_000;
/** PostgreSQL, Redis, Temporal, worker. */
const SERVERS = 4;
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

/** Where a demo in the folder keeps its files: there, and in the place of servers that may not enter it. */
async function placesOf(folder: string): Promise<readonly string[]> {
  return [folder, (await serverPlace(folder)).folder];
}

/** Pids of all processes of this machine that name one of the places in their arguments or environment, or stand in it. */
async function processesIn(places: readonly string[]): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      // A process may end while it is looked at.
      const facts = await Promise.all([
        readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''),
        readFile(`/proc/${pid}/environ`, 'latin1').catch(() => ''),
        readlink(`/proc/${pid}/cwd`).catch(() => ''),
      ]);
      return facts.some((fact) => places.some((place) => fact.includes(place))) ? [pid] : [];
    }),
  );
  return found.flat();
}

async function leftIn(places: readonly string[]): Promise<string[]> {
  const deadline = Date.now() + PATIENCE_MS;
  let left = await processesIn(places);
  while (left.length > 0 && Date.now() < deadline) {
    await delay(100);
    left = await processesIn(places);
  }
  return left;
}

async function keptVariables(environmentFile: string): Promise<Record<string, string>> {
  const lines = (await readFile(environmentFile, 'utf8')).matchAll(/^export (\w+)='(.*)'$/gm);
  return Object.fromEntries([...lines].map(([, name = '', text = '']) => [name, text]));
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
    expect(answer.compared.rows).toBeGreaterThan(600_000);
    expect(answer.damage).toMatch(/tables, \d+ definitions, .*\d+ keys/);

    const { folder, environmentFile } = answer.kept;
    const places = await placesOf(folder);
    const variables = await keptVariables(environmentFile);
    try {
      expect((await processesIn(places)).length).toBeGreaterThanOrEqual(SERVERS);
      expect(variables['LIFEBOAT_HOME']).toBe(folder);
      const listed = await (await lifeboat(['backup', 'list', '--json'], variables)).ended;
      const ids = JSON.parse(listed.stdout).backups.map(({ id }: { id: string }) => id);
      expect(ids).toContain(answer.backup.backup.id);
    } finally {
      const down = await (await lifeboat(['down'], variables)).ended;
      expect([down.code, down.stderr]).toEqual([0, expect.any(String)]);
    }
    expect(await leftIn(places)).toEqual([]);
  },
  LIMIT_MS,
);

test(
  'two at once, one interrupted and one killed: no process of either is left, and no file of the first',
  async () => {
    const before = await runFolders();
    const interrupted = await lifeboat(['demo']);
    await interrupted.shown('Web UI');
    const [first = ''] = (await runFolders()).filter((folder) => !before.includes(folder));
    const killed = await lifeboat(['demo']);
    await interrupted.shown('$ lifeboat backup full');
    interrupted.child.kill('SIGINT');
    await killed.shown('$ lifeboat backup full');
    const [second = ''] = (await runFolders()).filter((folder) => folder !== first && !before.includes(folder));
    const places = await placesOf(second);
    expect((await processesIn(places)).length).toBeGreaterThanOrEqual(SERVERS);
    killed.child.kill('SIGKILL');

    const { code, stderr } = await interrupted.ended;
    expect([code, stderr]).toEqual([130, expect.stringContaining('INTERRUPTED')]);
    await expect(access(first)).rejects.toThrow('ENOENT');
    expect(await leftIn([first, ...places])).toEqual([]);
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
