/**
 * pgbench with eight clients against a server whose journal is kept, encrypted and signed, by a process of its own as a worker keeps it,
 * beside the same server without one, in turns:
 *
 *   node bench/journal-pgbench.ts [--seconds 30] [--rounds 4] [--scale 20] [--flush-seconds 1] [--fsync on|off]
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { followPostgresWal } from '../src/activities/journal/follow-postgres.ts';
import { lsnOf } from '../src/domain/lsn.ts';
import { WORKER_MEMORY } from '../src/embedded/worker-memory.ts';
import { runChild } from '../src/platform/child-process.ts';
import { dependenciesOf } from '../test/chaos/journal-support/copies.ts';
import { startProduct, type Product } from '../test/support/product.ts';
import { report, round, withPeakMemory, withProcessorTime } from './measure.ts';

/** Transactions per second with a journal to those without. */
const RATIO_BOUND = 0.95;
const LAG_BOUND_SECONDS = 2;
const CLIENTS = 8;
const SAMPLE_MS = 50;
const CAUGHT_UP_WITHIN_MS = 120_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    rounds: { type: 'string', default: '4' },
    scale: { type: 'string', default: '20' },
    'flush-seconds': { type: 'string', default: '1' },
    fsync: { type: 'string', default: 'on' },
    follow: { type: 'string' },
  },
});
if (values.follow === undefined) await compare();
else await follow(JSON.parse(values.follow));

/** What one round gave; lags in seconds. */
interface Round {
  readonly tps: number;
  readonly lags: readonly number[];
}

async function compare(): Promise<void> {
  const product = await startProduct({ seed: 'none', encrypted: true, redisVersion: '7' });
  try {
    await product.postgres.restart({ fsync: values.fsync, shared_buffers: '256MB', max_wal_size: '4GB' });
    await product.postgres.query(`create database ${product.database}`);
    await pgbench(product, ['-i', '-q', '-s', values.scale]);
    await product.succeed('backup', 'full', '--postgres');
    await product.worker.stop();
    // Joins the base while the server still has the WAL since then; from here on the slot keeps it.
    await withJournal(product, async () => undefined);
    const rounds: Record<'with' | 'without', Round[]> = { with: [], without: [] };
    for (let turn = 0; turn < Number(values.rounds); turn += 1) {
      // Which comes first changes, so that what grows over time weighs on both.
      for (const side of turn % 2 === 0 ? (['without', 'with'] as const) : (['with', 'without'] as const)) {
        rounds[side].push(
          side === 'with'
            ? await withJournal(product, async () => load(product, 'pgbench with a journal'))
            : await load(product, 'pgbench without a journal'),
        );
      }
    }
    conclude(rounds);
  } finally {
    await product.stop();
  }
}

function conclude(rounds: Readonly<Record<'with' | 'without', readonly Round[]>>): void {
  const [tps, peerTps] = [rounds.with, rounds.without].map((side) =>
    quantile(
      side.map((one) => one.tps),
      0.5,
    ),
  );
  const ratio = round((tps ?? 0) / (peerTps ?? 0), 3);
  const lags = rounds.with.flatMap((one) => one.lags);
  const lagP99Seconds = round(quantile(lags, 0.99));
  report({
    measure: 'pgbench with a journal to without, median',
    tps,
    peerTps,
    ratio,
    bound: RATIO_BOUND,
    lagP50Seconds: round(quantile(lags, 0.5)),
    lagP99Seconds,
    lagBoundSeconds: LAG_BOUND_SECONDS,
    samples: lags.length,
    flushSeconds: Number(values['flush-seconds']),
    fsync: values.fsync,
    withinBounds: ratio >= RATIO_BOUND && lagP99Seconds <= LAG_BOUND_SECONDS,
  });
}

async function withJournal<T>(product: Product, work: () => Promise<T>): Promise<T> {
  const { env, folder } = product;
  const request = { env, folder, flushMs: 1_000 * Number(values['flush-seconds']) };
  const journal = fork(import.meta.filename, ['--follow', JSON.stringify(request)], {
    execArgv: [...WORKER_MEMORY.nodeArguments],
    env: { ...process.env, ...WORKER_MEMORY.environment },
  });
  try {
    await observing(product, async (observer) => caughtUp(observer, journal));
    const pid = journal.pid ?? 0;
    const { answer, cpuSeconds } = await withProcessorTime([pid], async () => withPeakMemory(pid, work));
    report({ measure: 'the journal process', cpuSeconds, peakRssMib: answer.peakRssMib });
    return answer.answer;
  } finally {
    const ended = once(journal, 'exit');
    if (journal.exitCode === null && journal.signalCode === null) {
      journal.disconnect();
      await ended;
    }
  }
}

/** In a process of its own, as long as its parent wants it. */
async function follow(request: Pick<Product, 'env' | 'folder'> & { readonly flushMs: number }): Promise<void> {
  const stop = new AbortController();
  process.once('disconnect', () => stop.abort());
  const deps = dependenciesOf(request);
  const { slot } = deps.settings.journal;
  const settings = { ...deps.settings, journal: { ...deps.settings.journal, flushMs: request.flushMs } };
  const operation = { signal: stop.signal, onProgress: () => undefined };
  try {
    const { end } = await followPostgresWal({ ...deps, settings }, { slot, deadlineMs: Infinity }, operation);
    throw new Error(`the journal ended: ${end}`);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
}

interface Position {
  /** What the server has flushed, and what the journal has confirmed as durable. */
  readonly written: bigint;
  readonly durable: bigint | undefined;
}

async function position(observer: Client): Promise<Position> {
  const { rows } = await observer.query<{ written: string; durable: string | null }>(
    'select pg_current_wal_flush_lsn()::text as written, (select flush_lsn::text from pg_stat_replication limit 1) as durable',
  );
  const { written = '0/0', durable = null } = rows[0] ?? {};
  return { written: lsnOf(written), durable: durable === null ? undefined : lsnOf(durable) };
}

async function caughtUp(observer: Client, journal: ChildProcess): Promise<void> {
  const deadline = Date.now() + CAUGHT_UP_WITHIN_MS;
  const { written } = await position(observer);
  for (;;) {
    const { durable } = await position(observer);
    if (durable !== undefined && durable >= written) return;
    if (journal.exitCode !== null) throw new Error(`the journal ended with ${journal.exitCode}`);
    if (Date.now() > deadline) throw new Error(`the journal did not catch up within ${CAUGHT_UP_WITHIN_MS} ms`);
    await delay(SAMPLE_MS);
  }
}

/** With a connection that is kept: a new one for each sample would weigh more than the sample. */
async function observing<T>({ postgres }: Product, work: (observer: Client) => Promise<T>): Promise<T> {
  const observer = new Client({ ...postgres.target, ssl: false });
  await observer.connect();
  try {
    return await work(observer);
  } finally {
    await observer.end();
  }
}

/** One round. The samples are taken without a journal as well: they cost the same on both sides. */
async function load(product: Product, measure: string): Promise<Round> {
  await product.postgres.query('checkpoint');
  return observing(product, async (observer) => loadObserved(product, observer, measure));
}

async function loadObserved(product: Product, observer: Client, measure: string): Promise<Round> {
  let running = true;
  const lags: number[] = [];
  const sampling = (async () => {
    const history: { readonly atMs: number; readonly written: bigint }[] = [];
    while (running) {
      const { written, durable } = await position(observer);
      const atMs = performance.now();
      history.push({ atMs, written });
      if (durable !== undefined) {
        // Everything that was written until then is durable now; what came after it waits since.
        while (history.length > 1 && (history[1]?.written ?? 0n) <= durable) history.shift();
        const since = history[0];
        if (since !== undefined) lags.push(since.written <= durable ? (atMs - since.atMs) / 1_000 : 0);
      }
      await delay(SAMPLE_MS);
    }
  })();
  const args = ['-c', String(CLIENTS), '-j', '2', '-T', values.seconds];
  const output = await pgbench(product, args).finally(() => (running = false));
  await sampling;
  const tps = Math.round(Number(/^tps = ([\d.]+)/m.exec(output)?.[1]));
  if (!(tps > 0)) throw new Error(`pgbench printed no figure: ${output}`);
  report({
    measure,
    seconds: Number(values.seconds),
    tps,
    ...(lags.length > 0 && { lagP99Seconds: round(quantile(lags, 0.99)) }),
  });
  return { tps, lags };
}

async function pgbench({ postgres, database }: Product, args: readonly string[]): Promise<string> {
  const { host, port, user, password = '' } = postgres.target;
  const { stdout, exit } = await runChild({
    name: 'pgbench',
    command: join(postgres.binDir, 'pgbench'),
    args: ['-n', '-h', host, '-p', String(port), '-U', user, ...args, database],
    env: { LD_LIBRARY_PATH: join(postgres.binDir, '..', 'lib'), PGPASSWORD: password },
    signal: new AbortController().signal,
  });
  if (exit.code !== 0) throw new Error(`pgbench: exit ${exit.code}: ${exit.stderrTail}`);
  return stdout;
}

function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
