import { LifeboatError } from '../../domain/errors.ts';
import { replyError } from '../reply-error.ts';
import { RespError } from '../resp.ts';
import { isUnavailable, parseInfo } from '../server-view.ts';
import type { RedisSocket } from '../socket.ts';

/**
 * Writes of clients since the last save, and when that was: two equal readings mean that nothing was written between
 * them. Expiries are not counted (`dirty` of server.c; measured on 6.2 and 7.0).
 */
const COUNTERS = ['rdb_changes_since_last_save', 'rdb_last_save_time'] as const;

/** FLUSHALL in the same instant in which the counters are what they were. */
const SCRIPT = `local info = redis.call('INFO', 'persistence')
for index, name in ipairs(KEYS_OF_INFO) do
  if string.match(info, name .. ':(%d+)') ~= ARGV[index] then return 0 end
end
redis.call('FLUSHALL')
return 1`.replace('KEYS_OF_INFO', `{${COUNTERS.map((name) => `'${name}'`).join(', ')}}`);

/** How often the data set was written to, to be compared later. REDIS_PERMISSION_DENIED where INFO is forbidden. */
export type Writes = readonly [changes: string, lastSave: string];

export async function writesOf(redis: RedisSocket): Promise<Writes> {
  const reply = await redis.command('INFO', 'persistence');
  const info = parseInfo(reply instanceof Buffer ? reply.toString('utf8') : '');
  const [changes, lastSave] = COUNTERS.map((name) => info.get(name));
  if (changes !== undefined && lastSave !== undefined) return [changes, lastSave];
  throw new LifeboatError('REDIS_REPLY_ERROR', `info at redis ${redis.name}: it does not count the writes`);
}

/**
 * Empties all databases and drops the functions; false, and nothing done, when the target was written to since `writes`.
 * A user who may not run scripts leaves clients the time of one round trip in between.
 */
export async function emptyUnlessWritten(
  redis: RedisSocket,
  { writes, functions }: { readonly writes: Writes; readonly functions: number },
): Promise<boolean> {
  const [done] = await redis.pipeline([['EVAL', SCRIPT, 0, ...writes]]);
  if (isUnavailable(done)) {
    if ((await writesOf(redis)).join() !== writes.join()) return false;
    await redis.command('FLUSHALL');
  } else if (done instanceof RespError) {
    throw replyError(done, `empty redis ${redis.name}`);
  } else if (done !== 1) {
    return false;
  }
  if (functions > 0) await redis.command('FUNCTION', 'FLUSH');
  return true;
}
