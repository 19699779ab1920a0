/**
 * Goal: kill -9 of a receiver loses nothing and repeats nothing wrongly: the next one goes on, and every byte is the server's.
 * Method: a receiver in a process of its own, killed at seeded moments under pgbench; what its folder holds is put together again.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { formatLsn, lsnOf, segmentStart } from '../../src/domain/lsn.ts';
import type { TestPostgres } from '../support/servers.ts';
import { whenAvailable } from '../support/tools.ts';
import { createMemoryJournal, differences, replayFiles } from './postgres-wal-support/memory-journal.ts';
import { flushedLsn, runServerTool, startKeeping, until, wal, writeWal } from './postgres-wal-support/wal-server.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 4711);
const KILLS = 6;
const program = join(import.meta.dirname, '..', 'support', 'programs', 'receive-wal-into-folder.ts');

const suite = await whenAvailable('postgres 15', 'postgres 18');
suite('a receiver of wal that is killed', () => {
  it.each([15, 18] as const)(
    `is followed by one that goes on where it stopped, postgresql %i (seed ${SEED})`,
    async (major) => {
      const server = await startKeeping(major);
      const folder = await mkdtemp(join(tmpdir(), 'lifeboat-wal-'));
      let child: ChildProcess | undefined;
      try {
        await pgbench(server, ['-i', '-s', '2']);
        const identity = await wal.identify(server.target);
        const { systemIdentifier, walSegmentBytes } = identity;
        const { restartLsn } = await wal.createSlot(server.target, 'killed');
        const begun = lsnOf(restartLsn ?? '');
        const from = formatLsn(segmentStart(begun, walSegmentBytes));
        const argument = JSON.stringify({ target: server.target, folder, slot: 'killed', systemIdentifier, from });
        const load = pgbench(server, ['-c', '4', '-T', '12']);
        const next = random(SEED);
        for (let kill = 0; kill < KILLS; kill += 1) {
          const before = (await stored(folder)).length;
          child = spawn(process.execPath, [program, argument], { stdio: ['ignore', 'inherit', 'inherit'] });
          // On a slow machine the load is over before the last receiver has started.
          await writeWal(server, 1);
          await until(async () => (await stored(folder)).length > before, 'the receiver stores something');
          await delay(next() * 800);
          await kill9(child);
          const durable = lsnOf(newest(await stored(folder)) ?? from);
          const kept = lsnOf((await wal.slot(server.target, 'killed')).restartLsn ?? '');
          // The slot began within a segment, and the receiver before it, with the segment.
          expect(kept <= durable || kept === begun).toBe(true);
          await until(async () => !(await wal.slot(server.target, 'killed')).active, 'the slot is free');
        }
        await load;
        await writeWal(server, 20);
        const end = await flushedLsn(server);
        child = spawn(process.execPath, [program, argument], { stdio: ['ignore', 'inherit', 'inherit'] });
        await until(async () => lsnOf(newest(await stored(folder)) ?? from) >= lsnOf(end), 'all is there');
        await kill9(child);
        const journal = createMemoryJournal(identity);
        for (const name of await stored(folder)) {
          const [kind, timeline, from = '', to = ''] = name.replaceAll('_', '/').split(' ');
          if (kind !== 'segment' && kind !== 'piece') continue;
          const bytes = await readFile(join(folder, name));
          journal.put({ kind, timeline: Number(timeline), from, to, fromMs: 0, toMs: 0 }, bytes);
        }
        const base = { timeline: 1, endLsn: from, endAt: new Date(0).toISOString() };
        const replay = await replayFiles(journal, { identity, base, target: { lsn: end } });
        expect(replay.plan.segments.length).toBeGreaterThan(2);
        expect(await differences(server, replay)).toEqual([]);
        // The comparison finds a single wrong bit.
        const [name, bytes] = [...replay.files][0] ?? ['', Buffer.alloc(0)];
        bytes.writeUInt8(bytes.readUInt8(70_000) ^ 1, 70_000);
        expect(await differences(server, replay)).toEqual([name]);
      } finally {
        child?.kill('SIGKILL');
        await server.stop();
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
});

/** Files that are whole. */
async function stored(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !name.endsWith('.tmp'));
}

function newest(names: readonly string[]): string | undefined {
  const ends = names.map((name) => (name.split(' ')[3] ?? '').replace('_', '/'));
  return ends.toSorted((a, b) => Number(lsnOf(a) - lsnOf(b))).at(-1);
}

async function kill9(child: ChildProcess): Promise<void> {
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}

async function pgbench(server: TestPostgres, args: readonly string[]): Promise<void> {
  const { host, port, user } = server.target;
  await runServerTool(server, 'pgbench', ['-h', host, '-p', String(port), '-U', user, '-n', ...args, 'postgres']);
}

/** Numbers in [0, 1) from a seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
