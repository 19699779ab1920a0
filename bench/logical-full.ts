/**
 * A logical full backup of PostgreSQL and Redis through the whole product, and its restore, beside the tools that people would
 * use by hand, in the same run:
 *
 *   node bench/logical-full.ts [--size-mib 2048] [--keys 1000000]
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { RestoreOptions } from '../src/client/backup-manager.ts';
import type { ComponentName } from '../src/domain/backup.ts';
import { WORKER_MEMORY } from '../src/embedded/worker-memory.ts';
import { runChild } from '../src/platform/child-process.ts';
import { startProduct, type Product } from '../test/support/product.ts';
import { resolveTools } from '../test/support/tools.ts';
import { fillPostgres, fillRedis } from './data.ts';
import { report, round, timed, withPeakMemory, withProcessorTime } from './measure.ts';

/** The worker's bound, whatever the size. */
const MEMORY_BOUND_MIB = 300;
const BOUND = { postgres: 1.1, redis: 1.3 } as const;
const { signal } = new AbortController();

const { values } = parseArgs({
  options: { 'size-mib': { type: 'string', default: '2048' }, keys: { type: 'string', default: '1000000' } },
});
// As `lifeboat up` starts it.
const workerEnv = { ...WORKER_MEMORY.environment, NODE_OPTIONS: WORKER_MEMORY.nodeArguments.join(' ') };
// The logical copy alone: what it is held against takes no physical base either.
const config = { postgres: { physical: false } };
const product = await startProduct({ seed: 'none', encrypted: true, redisVersion: '7', workerEnv, config });
try {
  await product.redis.cli('config', 'set', 'repl-diskless-sync-delay', '0');
  const filled = await timed(async () =>
    Promise.all([
      fillPostgres(product.postgres, product.database, Number(values['size-mib'])),
      fillRedis(product.redis, Number(values.keys)),
    ]),
  );
  const { rows } = await product.postgres.query<{ bytes: string }>('select pg_database_size($1) as bytes', [
    product.database,
  ]);
  report({
    measure: 'generated',
    seconds: filled.seconds,
    databaseMib: mib(Number(rows[0]?.bytes)),
    keys: Number(values.keys),
  });
  await measure(product);
} finally {
  await product.stop();
}

async function measure(product: Product): Promise<void> {
  // Once unmeasured: both sides read warm pages then, and the worker has its code compiled.
  await product.manager.performFullBackup();
  const pgDump = await peerPgDump(product);
  const rdb = await peerRdb(product);
  await backup(product, 'backup of postgres alone', { components: ['postgres'], peer: pgDump, bound: BOUND.postgres });
  await backup(product, 'backup of redis alone', { components: ['redis'], peer: rdb, bound: BOUND.redis });
  const both = await backup(product, 'backup of both', {
    components: ['postgres', 'redis'],
    peer: round(pgDump + rdb),
  });
  await peerPgRestore(product);
  await restore(product, 'restore of postgres into another database', {
    backup: both,
    options: { components: ['postgres'], targetDatabase: 'restored' },
  });
  await restore(product, 'restore of both in place', { backup: both, options: { dropExisting: true } });
}

interface Measured {
  readonly components: readonly ComponentName[];
  /** Seconds of the peers, one after the other. */
  readonly peer: number;
  readonly bound?: number;
}

async function backup(
  { manager, worker, postgres }: Product,
  name: string,
  { components, peer, bound }: Measured,
): Promise<string> {
  const { answer: measured, peakRssMib } = await withPeakMemory(worker.pid, () =>
    withProcessorTime([worker.pid, postgres.pid], () => timed(() => manager.performFullBackup({ components }))),
  );
  const { answer, cpuSeconds } = measured;
  const { seconds } = answer;
  const { id, storedBytes } = answer.answer.backup;
  const ratio = round(seconds / peer);
  const withinBounds = peakRssMib <= MEMORY_BOUND_MIB && (bound === undefined || ratio <= bound);
  report({
    measure: name,
    seconds,
    cpuSeconds,
    storedMib: mib(storedBytes),
    peakRssMib,
    peerSeconds: peer,
    ratio,
    bound,
    memoryBoundMib: MEMORY_BOUND_MIB,
    withinBounds,
  });
  return id;
}

async function restore(
  { manager, worker }: Product,
  name: string,
  { backup: id, options }: { readonly backup: string; readonly options: RestoreOptions },
): Promise<void> {
  const { answer, peakRssMib } = await withPeakMemory(worker.pid, () =>
    timed(() => manager.restoreFromBackup(id, options)),
  );
  report({
    measure: name,
    seconds: answer.seconds,
    peakRssMib,
    memoryBoundMib: MEMORY_BOUND_MIB,
    withinBounds: peakRssMib <= MEMORY_BOUND_MIB,
  });
}

async function peerPgDump({ postgres, folder, database }: Product): Promise<number> {
  const file = join(folder, 'peer.dump');
  const { answer, cpuSeconds } = await withProcessorTime([process.pid, postgres.pid], () =>
    timed(() => run(postgres.tools.pgDump, ['-Fc', '--compress=zstd:3', `--file=${file}`, database], libpq(postgres))),
  );
  const { seconds } = answer;
  report({ measure: 'pg_dump -Fc --compress=zstd:3', seconds, cpuSeconds, storedMib: mib((await stat(file)).size) });
  return seconds;
}

async function peerPgRestore({ postgres, folder }: Product): Promise<void> {
  await postgres.query('create database peer_restored');
  const args = ['--jobs=2', '--dbname=peer_restored', join(folder, 'peer.dump')];
  const { seconds } = await timed(() => run(postgres.tools.pgRestore, args, libpq(postgres)));
  report({ measure: 'pg_restore --jobs=2', seconds });
  await postgres.query('drop database peer_restored');
}

async function peerRdb({ redis, folder }: Product): Promise<number> {
  const { cliPath } = await resolveTools().redis('7');
  const file = join(folder, 'peer.rdb');
  const { seconds } = await timed(() => run(cliPath, ['-p', String(redis.port), '--rdb', file], {}));
  report({ measure: 'redis-cli --rdb', seconds, storedMib: mib((await stat(file)).size) });
  return seconds;
}

async function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  const { exit } = await runChild({ name: command, command, args, env, signal });
  if (exit.code !== 0) throw new Error(`${command}: exit ${exit.code}: ${exit.stderrTail}`);
}

function libpq({ target, binDir }: Product['postgres']): Record<string, string> {
  const { host, port, user, password = '' } = target;
  return {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    LD_LIBRARY_PATH: join(binDir, '..', 'lib'),
  };
}

function mib(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
