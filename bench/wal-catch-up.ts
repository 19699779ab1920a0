/**
 * Catching up with a server's WAL to a fixed position: the receiver alone, its events consumed and thrown away, beside pg_receivewal
 * into a folder (which writes them) and without sync, in the same run, in turns:
 *
 *   node bench/wal-catch-up.ts [--size-mib 1024] [--rounds 3]
 */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatLsn, lsnOf, segmentName, segmentStart } from '../src/domain/lsn.ts';
import { runChild } from '../src/platform/child-process.ts';
import { createWal } from '../src/postgres/wal/create-wal.ts';
import { startPostgres, type TestPostgres } from '../test/support/servers.ts';
import { report, round, timed, withPeakMemory } from './measure.ts';

/** Speed of pg_receivewal that has to be reached. */
const BOUND = 0.9;

interface Place {
  readonly from: string;
  readonly until: string;
}

interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const { values } = parseArgs({
  options: {
    'size-mib': { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '3' },
    receive: { type: 'string' },
  },
});
if (values.receive === undefined) await compare();
else await receiveOnly(JSON.parse(values.receive));

async function compare(): Promise<void> {
  const server = await startPostgres({ settings: { wal_keep_size: '8GB', max_wal_size: '8GB' } });
  try {
    const place = await writeWal(server, Number(values['size-mib']));
    const mib = Number(lsnOf(place.until) - lsnOf(place.from)) / 1_048_576;
    const costs: { ours: Cost[]; theirs: Cost[] } = { ours: [], theirs: [] };
    for (let turn = 0; turn < Number(values.rounds); turn += 1) {
      costs.theirs.push(await pgReceivewal(server, place, mib));
      costs.ours.push(await ourselves(server, place, mib));
    }
    const ratio = round(median(costs.theirs, 'seconds') / median(costs.ours, 'seconds'));
    const cpuRatio = round(median(costs.theirs, 'cpuSeconds') / median(costs.ours, 'cpuSeconds'));
    const measure = 'wal catch-up, speed to that of pg_receivewal';
    report({ measure, ratio, cpuRatio, bound: BOUND, withinBounds: ratio >= BOUND });
  } finally {
    await server.stop();
  }
}

/** Whole segments, so that pg_receivewal needs no more than the files. */
async function writeWal(server: TestPostgres, mib: number): Promise<Place> {
  const lsn = async (): Promise<string> =>
    (await server.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn')).rows[0]?.lsn ?? '';
  await server.query('create table filler (id bigint, body text)');
  // Not in the first segment: pg_receivewal does not go on from a segment 0.
  await server.query('select pg_switch_wal()');
  await server.query('checkpoint');
  const from = await lsn();
  for (let written = 0; written < mib; written += 128) {
    await server.query('insert into filler select g, repeat(md5(g::text), 30) from generate_series(1, 128000) g');
  }
  await server.query('select pg_switch_wal()');
  await server.query('insert into filler values (1, $1)', ['a']);
  const until = segmentStart(lsnOf(await lsn()), 16_777_216);
  return { from: formatLsn(segmentStart(lsnOf(from), 16_777_216)), until: formatLsn(until) };
}

async function ourselves({ target }: TestPostgres, place: Place, mib: number): Promise<Cost> {
  const child = fork(import.meta.filename, ['--receive', JSON.stringify({ target, ...place })]);
  const done = new Promise<Cost>((resolve, reject) => {
    child.once('message', (cost) => resolve(cost as Cost));
    child.once('exit', (code) => reject(new Error(`the receiver ended with ${code}`)));
  });
  const { answer, peakRssMib } = await withPeakMemory(child.pid ?? 0, async () => done);
  const { seconds, cpuSeconds } = answer;
  report({
    measure: 'receiver',
    seconds,
    cpuSeconds,
    mibPerSecond: Math.round(mib / seconds),
    mib: Math.round(mib),
    peakRssMib,
  });
  return answer;
}

/** In a process of its own, without the start of Node. */
async function receiveOnly(request: Place & { readonly target: TestPostgres['target'] }): Promise<void> {
  const wal = createWal();
  const { target, from, until } = request;
  const expect = await wal.identify(target);
  const cpuFrom = process.cpuUsage();
  const { seconds } = await timed(async () => {
    const operation = { signal: new AbortController().signal, onProgress: () => undefined };
    const reception = wal.receive(
      { target, slot: null, from: { timeline: 1, lsn: from }, until, flushMs: 5_000, expect },
      operation,
    );
    for await (const event of reception) if (event.event === 'piece') reception.confirm(event.to);
  });
  const { user, system } = process.cpuUsage(cpuFrom);
  process.send?.({ seconds, cpuSeconds: round((user + system) / 1_000_000) });
  process.disconnect();
}

async function pgReceivewal({ binDir, target }: TestPostgres, place: Place, mib: number): Promise<Cost> {
  // In memory where that is possible: ours is not written to a disk either.
  const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const folder = await mkdtemp(join(parent, 'lifeboat-bench-wal-'));
  try {
    await chmod(folder, 0o700);
    // It begins at the server's position unless the folder holds a segment: it goes on behind that.
    await seedFolder(folder, place);
    const cpuFrom = await childrenCpuSeconds();
    const { seconds } = await timed(async () => {
      const { exit } = await runChild({
        name: 'pg_receivewal',
        command: join(binDir, 'pg_receivewal'),
        args: [
          '-D',
          folder,
          '-E',
          place.until,
          '-n',
          '--no-sync',
          '-h',
          target.host,
          '-p',
          String(target.port),
          '-U',
          target.user,
        ],
        env: { LD_LIBRARY_PATH: join(binDir, '..', 'lib'), PGPASSWORD: target.password ?? '' },
        signal: AbortSignal.timeout(600_000),
      });
      if (exit.code !== 0) throw new Error(`pg_receivewal: ${exit.stderrTail}`);
    });
    const cpuSeconds = round((await childrenCpuSeconds()) - cpuFrom);
    const mibPerSecond = Math.round(mib / seconds);
    report({ measure: 'pg_receivewal --no-sync', seconds, cpuSeconds, mibPerSecond, mib: Math.round(mib) });
    return { seconds, cpuSeconds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of children that have ended. Linux; a tick is 10 ms. */
async function childrenCpuSeconds(): Promise<number> {
  const stat = await readFile('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

async function seedFolder(folder: string, { from }: Place): Promise<void> {
  const before = segmentName(1, lsnOf(from) - 16_777_216n, 16_777_216);
  const file = await open(join(folder, before), 'w');
  await file.truncate(16_777_216);
  await file.close();
}

function median(costs: readonly Cost[], of: keyof Cost): number {
  return costs.map((cost) => cost[of]).toSorted((a, b) => a - b)[Math.floor(costs.length / 2)] ?? Infinity;
}
