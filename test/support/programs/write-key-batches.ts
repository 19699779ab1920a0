/**
 * Writes batches to a Redis at a steady rate until its parent says stop, and makes up for the time a killed server was away. Tells each batch
 * when it is sent, and again when all of it is acknowledged. Arguments: a JSON object {target, writesPerSecond}.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { batchOf, KEY_WRITERS, WRITES_PER_BATCH } from '../../chaos/journal-support/key-batches.ts';
import type { Written } from '../../chaos/journal-support/write-log.ts';
import { openRedis } from '../product/redis-client.ts';

type Answers = [Error | null, unknown][] | null;

const RECONNECT_MS = 100;
/** A server that was killed may leave a client without an answer. */
const ANSWER_TIMEOUT_MS = 10_000;

const { target, writesPerSecond } = JSON.parse(process.argv[2] ?? '');
const everyMs = (1_000 * WRITES_PER_BATCH * KEY_WRITERS) / writesPerSecond;
let over = false;
process.on('message', () => (over = true));
// Without its parent nobody would end it.
process.on('disconnect', () => process.exit());
await Promise.all(Array.from({ length: KEY_WRITERS }, async (_, writer) => write(writer)));
process.disconnect();

async function write(writer: number): Promise<void> {
  const fromMs = performance.now();
  for (let n = 1; !over;) {
    const redis = await openRedis(target).catch(() => undefined);
    try {
      while (redis !== undefined && !over) {
        await delay(Math.max(0, fromMs + n * everyMs - performance.now()));
        const written = { writer, n: n++, sentMs: Date.now(), ackedMs: undefined };
        tell(written);
        await answered(inOneWrite(redis, batchOf(writer, written.n)));
        tell({ ...written, ackedMs: Date.now() });
      }
    } catch (error) {
      // A killed server ends the session; what it did not answer stays without an acknowledgement.
      if (error instanceof TypeError) throw error;
    } finally {
      redis?.disconnect();
    }
    if (!over) await delay(RECONNECT_MS);
  }
}

async function inOneWrite(redis: Redis, batch: ReturnType<typeof batchOf>): Promise<Answers> {
  const lines = redis.pipeline();
  for (const command of batch) void lines.call(...command);
  return lines.exec();
}

function tell(written: Written): void {
  process.send?.(written);
}

async function answered(exec: Promise<Answers>): Promise<void> {
  const late = delay(ANSWER_TIMEOUT_MS, undefined, { ref: false }).then(() => {
    throw new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`);
  });
  const failed = (await Promise.race([exec, late]))?.find(([error]) => error !== null);
  if (failed?.[0]) throw failed[0];
}
