import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { RedisFacts } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import type { RedisRemoval } from '../redis.ts';
import { openRedisSocket, type RedisSocket } from '../socket.ts';
import { emptyUnlessWritten, writesOf } from './empty-unless-written.ts';
import { markerKeyOf } from './identity.ts';
import type { ImportJob } from './job.ts';
import { readStrangers } from './membership.ts';
import { prepareTarget } from './target-state.ts';

/** Clients that write between the reading and the emptying are waited out so often. */
const ATTEMPTS_MAX = 3;

/**
 * Empties a target that was empty before a snapshot was loaded into it, wholly or in part: the way back. Only what was
 * loaded goes. When the target holds anything else, it is left as it is: REDIS_TARGET_CHANGED names some of it. Safe to
 * run again.
 */
export async function removeSnapshot(
  removal: RedisRemoval,
  { open, operation }: { readonly open: () => AsyncIterable<Uint8Array>; readonly operation: Operation },
): Promise<{ readonly checks: readonly Check[]; readonly keys: number }> {
  const request = { ...removal, method: 'auto', dropExisting: true } as const;
  const job: ImportJob = { request, open, operation };
  const redis = await openRedisSocket(removal.target, { signal: operation.signal });
  try {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      const state = await prepareTarget(redis, request);
      if (!state.occupied) return { checks: [emptied(0)], keys: 0 };
      const writes = await writesOf(redis);
      const keys = await requireOurs(redis, job);
      if (await emptyUnlessWritten(redis, { writes, functions: state.view.functions })) {
        return { checks: [emptied(keys)], keys };
      }
    }
  } finally {
    redis.close();
  }
  throw changed(redis, 'clients wrote to it each time before it could be emptied');
}

/** Keys that were loaded and are still there; throws when there is anything beside them. */
async function requireOurs(redis: RedisSocket, job: ImportJob): Promise<number> {
  const found = await readStrangers(job, markerKeyOf(job.request.facts));
  if (found === undefined) throw changed(redis, tooMany(job.request.facts));
  const { count, names } = found.strangers;
  if (count === 0) return found.keys;
  const more = count > names.length ? ', …' : '';
  throw changed(redis, `it holds ${count} that were not loaded so: ${names.join(', ')}${more}`);
}

function tooMany({ keys }: RedisFacts): string {
  return `the snapshot of ${keys} keys is too large to tell its keys from others`;
}

function changed(redis: RedisSocket, why: string): LifeboatError {
  return new LifeboatError('REDIS_TARGET_CHANGED', `empty redis ${redis.name} again: left as it is: ${why}`, {
    hint: 'it was empty before the restore: keep what you need of it, then empty it by hand with `redis-cli flushall`',
  });
}

/** What a target says that was emptied again. */
export function emptied(keys: number): Check {
  const message = `${keys} keys that were loaded are removed: it was empty before`;
  return { name: 'redis emptied again', status: 'pass', expected: '0 keys', actual: '0 keys', message };
}
