import type { Check } from '../domain/backup.ts';
import { LifeboatError } from '../domain/errors.ts';
import { chooseMethod, type MethodChoice } from './import/choose-method.ts';
import type { ImportJob } from './import/job.ts';
import { loadByReplication, UNREACHED } from './import/load-by-replication.ts';
import { loadByRestore } from './import/load-by-restore.ts';
import { proveEqual, proveLoaded, type Proof } from './import/proof.ts';
import { notEmpty, prepareTarget, type TargetState } from './import/target-state.ts';
import { openRedisSocket, type RedisSocket } from './socket.ts';

export interface ImportResult {
  readonly checks: readonly Check[];
  readonly method: 'replicaof' | 'restore';
  readonly keys: number;
}

/**
 * Replaces what the target holds by a stored snapshot and proves it. Safe to run again after any failure: it puts right
 * what a dead attempt left behind, and what is loaded already is only proved. After an error `details.targetData` is
 * `undefined` where the target may have lost its old data; without it nothing has been changed.
 */
export async function importSnapshot(job: ImportJob): Promise<ImportResult> {
  const redis = await openRedisSocket(job.request.target, { signal: job.operation.signal });
  try {
    const state = await prepareTarget(redis, job.request);
    const earlier = state.loaded ? await proveEarlier(redis, job, state) : undefined;
    if (earlier !== undefined) return earlier;
    return await load(redis, job, state);
  } finally {
    redis.close();
  }
}

/**
 * The result of an attempt that died after loading; undefined when the target has changed since and may be replaced.
 * Nothing is tolerated here: the snapshot may have been loaded long ago, and this is a new restore of it.
 */
async function proveEarlier(redis: RedisSocket, job: ImportJob, state: TargetState): Promise<ImportResult | undefined> {
  const choice = { method: 'replicaof', reason: 'loaded by an earlier attempt' } as const;
  const earlier = result(job, choice, await proveEqual(job));
  if (earlier.checks.every(({ status }) => status === 'pass')) return earlier;
  if (job.request.dropExisting) return undefined;
  throw notEmpty(state.view, redis);
}

function result(job: ImportJob, choice: MethodChoice, { checks, keys }: Proof): ImportResult {
  return { checks: [methodCheck(job, choice), ...checks], method: choice.method, keys };
}

async function load(redis: RedisSocket, job: ImportJob, state: TargetState): Promise<ImportResult> {
  const choice = await chooseMethod(redis, job.request, state);
  if (choice.method === 'replicaof') {
    const proof = await loadByReplication(redis, job, state);
    if (proof !== UNREACHED) return result(job, choice, proof);
    const reason = 'the target could not connect to us';
    if (job.request.method !== 'auto') {
      throw new LifeboatError('REDIS_IMPORT_IMPOSSIBLE', `restore into redis ${redis.name} by replication: ${reason}`, {
        hint: 'name an address of this host that the target can reach, open its firewall, or restore with method `auto`',
      });
    }
    return await loadKeyByKey(redis, job, { state, choice: { method: 'restore', reason } });
  }
  return await loadKeyByKey(redis, job, { state, choice });
}

async function loadKeyByKey(
  redis: RedisSocket,
  job: ImportJob,
  { state, choice }: { readonly state: TargetState; readonly choice: MethodChoice },
): Promise<ImportResult> {
  await loadByRestore(redis, job, state);
  return result(job, choice, await proveLoaded(job, 'the target is a master while keys are restored one by one'));
}

/** Never a failure: it tells which way was taken, and why not the quicker one. */
function methodCheck({ request }: ImportJob, { method, reason }: MethodChoice): Check {
  return { name: 'redis restore method', status: 'pass', expected: request.method, actual: method, message: reason };
}
