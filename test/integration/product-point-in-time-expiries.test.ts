/**
 * Goal: a key of a replayed stream ends when it would have ended at its source, however the stream is taken and whatever the server
 * sends of an expiry.
 * Method: keys with expiries given as instants and as time that is left, on either version; the recorded stream is taken seconds
 * later by a server with append-only files, and compared with the source.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startScratchRedis } from '../../src/redis/scratch/scratch-redis.ts';
import { openRedis } from '../support/product/redis-client.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';
import { resolveTools, whenAvailable, type RedisVersion } from '../support/tools.ts';
import { journal, offsetOf, record } from './redis-journal-support/recording.ts';

const KEYS = ['setex', 'psetex', 'ex', 'px', 'expire', 'pexpire', 'in a transaction', 'of a script', 'pxat'] as const;
/** Longer than what a relative expiry is off by where it counts from when it is taken. */
const LATER_MS = 2_000;
const OFF_MS: Readonly<Record<RedisVersion, number>> = { '7': 0, '6.2': 500 };
const operation = { signal: new AbortController().signal, onProgress: () => undefined };

for (const version of ['6.2', '7'] as const) {
  const describeRedis = await whenAvailable(`redis ${version}`);
  describeRedis(`Redis ${version}`, () => {
    let server: TestRedis;

    beforeAll(async () => {
      server = await startRedis({ version });
    });
    afterAll(async () => server?.stop());

    test('expiries are those of the source when the stream is taken later', async () => {
      const recording = await record(server.target);
      const redis = await openRedis(server.target);
      const folder = await mkdtemp(join(tmpdir(), 'lifeboat-test-expiries-'));
      try {
        await redis.setex('setex', 600, 'value');
        await redis.psetex('psetex', 600_000, 'EX');
        await redis.set('ex', 'PX', 'EX', 600);
        await redis.set('px', 'x'.repeat(100_000), 'PX', 600_000);
        for (const key of ['expire', 'pexpire']) await redis.set(key, '1');
        await redis.expire('expire', 600);
        await redis.pexpire('pexpire', 600_000);
        await redis.multi().set('in a transaction', '1').expire('in a transaction', 600).exec();
        await redis.eval("redis.call('SETEX', KEYS[1], 600, 'x')", 1, 'of a script');
        await redis.set('pxat', '1', 'PXAT', Date.now() + 600_000);
        const source = await expiriesOf(redis);
        await recording.reached(await offsetOf(server));
        await delay(LATER_MS);

        const cut = await journal.findCut(recording.stream, { offset: recording.position().offset }, operation);
        const directory = join(folder, 'data');
        const { snapshot, stream } = recording;
        await journal.writeAppendOnlyDirectory({ directory, cut }, { snapshot, stream, operation });
        const { serverPath } = await resolveTools().redis(version);
        const scratch = await startScratchRedis({ directory, serverPath }, operation);
        try {
          const copy = await openRedis(scratch.target);
          const taken = await expiriesOf(copy);
          expect(await copy.mget('setex', 'psetex', 'ex')).toEqual(['value', 'EX', 'PX']);
          expect(await copy.strlen('px')).toBe(100_000);
          copy.disconnect();
          const off = KEYS.filter((key) => !(Math.abs(taken[key]! - source[key]!) <= OFF_MS[version]));
          expect({ off, source, taken }).toEqual({ off: [], source, taken });
        } finally {
          await scratch.end();
        }
      } finally {
        redis.disconnect();
        await recording.stop();
        await rm(folder, { recursive: true, force: true });
      }
    });
  });
}

/** Absolute, in milliseconds; before version 7 to about a millisecond. */
async function expiriesOf(redis: Awaited<ReturnType<typeof openRedis>>): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  const tellsInstant = Number.parseInt(/redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? '', 10) >= 7;
  for (const key of KEYS) {
    found[key] = tellsInstant ? Number(await redis.call('PEXPIRETIME', key)) : Date.now() + (await redis.pttl(key));
  }
  return found;
}
