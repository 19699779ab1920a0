/**
 * Goal: of processes that change one target, on whatever host, one does so at a time; who has lost its turn changes nothing any more.
 * Method: processes of their own on a real S3 server and in a directory; one adds to what another one wrote, one is stopped in mid-turn and
 * goes on after another one has taken it, one is killed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { fencedStore } from '../../src/repository/turns/fenced-store.ts';
import type { Turn } from '../../src/repository/turns/turn.ts';
import { takeTurn, type SeenTurns, TURN_TIMES } from '../../src/repository/turns/turns.ts';
import { openStore } from '../../src/storage/open-store.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { collect } from '../support/collect.ts';
import { startS3, type TestS3 } from '../support/s3-server.ts';
import { whenAvailable } from '../support/tools.ts';

const describeHere = await whenAvailable('s3');
const PROGRAM = join(import.meta.dirname, '../support/programs/take-turns.ts');
const TURNS = 6;
/** The holder trusts its turn for less than the half of what the other one waits. */
const SHORT = { renewMs: 300, trustMs: 1_000, takeMs: 3_000 };
const OBJECT = 'backups/thing/object';

describeHere('turns at a target', () => {
  let server: TestS3;
  let folder: string;
  const children: ChildProcess[] = [];

  const start = (url: string, args: readonly string[], times?: object): ChildProcess => {
    const { accessKeyId, secretAccessKey } = server.credentials;
    const env = { ...process.env, TEST_S3_KEY: accessKeyId, TEST_S3_SECRET: secretAccessKey };
    const more = times === undefined ? {} : { TEST_TURN_TIMES: JSON.stringify(times) };
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    const child = spawn(process.execPath, [PROGRAM, url, ...args], { stdio: [...stdio], env: { ...env, ...more } });
    children.push(child);
    return child;
  };
  const ended = async (child: ChildProcess): Promise<number | null> => (await once(child, 'close'))[0];
  const said = async (child: ChildProcess): Promise<string> => String((await once(child.stdout!, 'data'))[0]).trim();
  const open = (url: string): ObjectStore => openStore(url, '.', { credentials: server.credentials });
  const takeWhenFree = async (store: ObjectStore, takeMs: number): Promise<Turn> => {
    const seen: SeenTurns = new Map();
    for (;;) {
      const turn = await takeTurn(store, seen, { ...TURN_TIMES, takeMs });
      if (turn !== undefined) return turn;
      await delay(100);
    }
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-turns-'));
    server = await startS3();
    await server.createBucket('turns');
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(['s3', 'directory'])('are had by one process at a time (%s)', async (where) => {
    const url = where === 's3' ? server.url('turns/count') : pathToFileURL(join(folder, 'count')).href;
    const both = [start(url, ['count', String(TURNS)]), start(url, ['count', String(TURNS)])];
    expect(await Promise.all(both.map(ended))).toEqual([0, 0]);
    const store = open(url);
    expect(String(await collect(await store.get('probe/count')))).toBe(String(2 * TURNS));
    const turns: string[] = [];
    for await (const { key } of store.list('turns/')) turns.push(key);
    expect(turns.length).toBe(1);
  });

  test('that were lost change nothing: who was stopped in one finds out before it removes', async () => {
    const url = server.url('turns/stopped');
    const store = open(url);
    await store.put(OBJECT, Buffer.from('wanted'));
    const child = start(url, ['hold', OBJECT], SHORT);
    expect(await said(child)).toBe('held');
    child.kill('SIGSTOP');
    const turn = await takeWhenFree(store, SHORT.takeMs);
    await fencedStore(store, turn).put('backups/thing/manifest.json', Buffer.from('listed'));
    const saying = said(child);
    child.stdin!.write('go on\n');
    child.kill('SIGCONT');
    expect(await saying).toBe('TARGET_TURN_LOST');
    expect(await store.head(OBJECT)).toBeDefined();
    await turn.end();
  });

  test('of a process of this host that was killed are free at once', async () => {
    const url = server.url('turns/killed');
    const child = start(url, ['hold', OBJECT]);
    expect(await said(child)).toBe('held');
    const store = open(url);
    expect(await takeTurn(store, new Map())).toBeUndefined();
    child.kill('SIGKILL');
    await once(child, 'close');
    const turn = await takeTurn(store, new Map());
    expect(turn).toBeDefined();
    await turn!.end();
  });
});
