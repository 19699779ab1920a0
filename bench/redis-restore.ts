/**
 * A restore of a Redis backup through the whole product into another running server, encrypted, read to its end and proven, beside the start of a server on the
 * same keys as an RDB file, in turns:
 *
 *   node bench/redis-restore.ts [--keys 1000000] [--rounds 3]
 */
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startGuarded } from '../src/embedded/local-server.ts';
import { redisCommand } from '../src/embedded/redis-server.ts';
import { WORKER_MEMORY } from '../src/embedded/worker-memory.ts';
import { openRedisSnapshot } from '../src/recovery/open-redis-snapshot.ts';
import { runChild } from '../src/platform/child-process.ts';
import { freePort } from '../src/platform/ports.ts';
import { dependenciesOf } from '../test/chaos/journal-support/copies.ts';
import { startProduct, type Product } from '../test/support/product.ts';
import { startRedis, type TestRedis } from '../test/support/servers.ts';
import { resolveTools } from '../test/support/tools.ts';
import { fillRedis } from './data.ts';
import { report, round, timed, withPeakMemory, withProcessorTime } from './measure.ts';

/** Seconds of the product to those of a server that starts. */
const RATIO_BOUND = 1.3;
const MEMORY_BOUND_MIB = 300;
const operation = { signal: new AbortController().signal, onProgress: () => undefined };

const { values } = parseArgs({
  options: { keys: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '3' } },
});
const keys = Number(values.keys);
const workerEnv = { ...WORKER_MEMORY.environment, NODE_OPTIONS: WORKER_MEMORY.nodeArguments.join(' ') };
const product = await startProduct({ seed: 'none', encrypted: true, redisVersion: '7', workerEnv });
const target = await startRedis({ version: '7' });
try {
  await fillRedis(product.redis, keys);
  const { backup } = await product.manager.performFullBackup({ components: ['redis'] });
  const rdb = await takeRdb(product);
  const seconds: Record<'whole' | 'loading' | 'start', number[]> = { whole: [], loading: [], start: [] };
  for (let turn = 0; turn < Number(values.rounds); turn += 1) {
    seconds.start.push(await startOn(product, rdb));
    seconds.whole.push(await restore(product, target, backup.id));
    seconds.loading.push(await loadAlone(product, target, backup.id));
  }
  conclude('restore of redis, whole, to a server start', seconds.whole, seconds.start);
  conclude('restore of redis, loading and proving alone, to a server start', seconds.loading, seconds.start);
} finally {
  await target.stop();
  await product.stop();
}

function conclude(measure: string, ours: readonly number[], theirs: readonly number[]): void {
  const [seconds, peerSeconds] = [median(ours), median(theirs)];
  const ratio = round(seconds / peerSeconds);
  report({ measure, keys, seconds, peerSeconds, ratio, bound: RATIO_BOUND, withinBounds: ratio <= RATIO_BOUND });
}

async function restore({ manager, worker }: Product, other: TestRedis, id: string): Promise<number> {
  await other.cli('flushall');
  const { answer, peakRssMib } = await withPeakMemory(worker.pid, async () =>
    withProcessorTime([worker.pid, other.pid], async () =>
      timed(async () =>
        manager.restoreFromBackup(id, { components: ['redis'], targetRedis: `redis://127.0.0.1:${other.port}` }),
      ),
    ),
  );
  await requireAll(other);
  const { seconds } = answer.answer;
  report({
    measure: 'restore into a running server',
    seconds,
    cpuSeconds: answer.cpuSeconds,
    method: answer.answer.answer.restored.redis?.method,
    peakRssMib,
    memoryBoundMib: MEMORY_BOUND_MIB,
    withinBounds: peakRssMib <= MEMORY_BOUND_MIB,
  });
  return seconds;
}

/** The same library call as in the worker, without the first reading of the snapshot, the workflow and its plan. */
async function loadAlone(from: Product, other: TestRedis, id: string): Promise<number> {
  await other.cli('flushall');
  const deps = dependenciesOf(from);
  const repository = await deps.repository();
  const { format, facts, open } = await openRedisSnapshot(repository, await repository.load(id), operation);
  const request = { target: other.target, format, facts, method: 'auto', dropExisting: false } as const;
  const { seconds, answer } = await timed(async () => deps.redis.importSnapshot(request, { open, operation }));
  await requireAll(other);
  report({ measure: 'loading and proving alone', seconds, method: answer.method });
  return seconds;
}

async function requireAll(server: TestRedis): Promise<void> {
  const found = Number(await server.cli('dbsize'));
  if (found !== keys) throw new Error(`${found} keys of ${keys} are there`);
}

async function takeRdb({ redis, folder }: Product): Promise<string> {
  const { cliPath } = await resolveTools().redis('7');
  const file = join(folder, 'peer.rdb');
  const args = ['-p', String(redis.port), '--rdb', file];
  const { exit } = await runChild({ name: 'redis-cli', command: cliPath, args, env: {}, signal: operation.signal });
  if (exit.code !== 0) throw new Error(`redis-cli --rdb: exit ${exit.code}: ${exit.stderrTail}`);
  report({ measure: 'rdb', mib: Math.round((await stat(file)).size / 1_048_576), keys });
  return file;
}

/** Until it answers: a server that loads does not. */
async function startOn({ folder }: Product, rdb: string): Promise<number> {
  const { serverPath } = await resolveTools().redis('7');
  const place = join(folder, 'peer');
  const configFile = join(place, 'redis.conf');
  await mkdir(place);
  await writeFile(configFile, 'save ""\n');
  // Renamed and not copied: pages of a copy might have to be read or written first.
  await rename(rdb, join(place, 'dump.rdb'));
  const command = redisCommand({ serverPath, folder: place, port: await freePort(), configFile });
  const { answer: child, seconds } = await timed(async () => startGuarded(command));
  await child.end();
  await rename(join(place, 'dump.rdb'), rdb);
  await rm(place, { recursive: true });
  report({ measure: 'a server starts on the rdb', seconds });
  return seconds;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? NaN;
}
