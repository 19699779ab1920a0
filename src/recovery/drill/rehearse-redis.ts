import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from '../../domain/backup.ts';
import { replayIntoServer } from '../../redis/journal/replay/replay-into-server.ts';
import type { RedisTarget } from '../../redis/redis.ts';
import { startScratchRedis } from '../../redis/scratch/scratch-redis.ts';
import { openRedisSnapshot } from '../open-redis-snapshot.ts';
import { cutOf, openRedisReplay } from '../replay/open-redis-replay.ts';
import type { Rehearsal } from './rehearse-postgres.ts';

const component = 'redis';

/**
 * Brings Redis back on a server of our own, the way a restore into an empty server goes: loaded, read back, and compared by counts for each
 * database and by digest; a stream behind the snapshot is cut at the target.
 * @returns where the server is, which stays up until the closers run; undefined where it did not come back
 */
export async function rehearseRedis(rehearsal: Rehearsal): Promise<RedisTarget | undefined> {
  const { stages } = rehearsal;
  return stages.attempt('Redis', async () => {
    const target = await startEmpty(rehearsal);
    const { checks, keys } = await stages.time({ name: 'fetching and loading', component }, async () =>
      load(rehearsal, target),
    );
    stages.note(...checks, await answers(rehearsal, { target, keys }));
    return target;
  });
}

async function startEmpty({ context, place, stages, closers, operation }: Rehearsal): Promise<RedisTarget> {
  const folder = join(place.folder, 'redis');
  await mkdir(folder, { mode: 0o700 });
  const serverPath = await context.redisServer();
  const scratch = await stages.time({ name: 'starting', component }, async () =>
    startScratchRedis({ serverPath, folder }, operation),
  );
  closers.add('stop Redis', async () => scratch.end());
  return scratch.target;
}

async function load(
  { context, plan, operation }: Rehearsal,
  target: RedisTarget,
): Promise<{ readonly checks: readonly Check[]; readonly keys: number }> {
  const replay = plan.replay?.redis ?? null;
  if (replay !== null) {
    const opened = await openRedisReplay(context.sources, replay, operation);
    const { facts, snapshot, stream } = opened;
    const cut = await cutOf(opened, replay.target, operation);
    return replayIntoServer({ target, facts, cut, dropExisting: false }, { snapshot, stream, operation });
  }
  const repository = await context.sources.repository();
  const manifest = await repository.load(plan.backupId);
  const { format, facts, open } = await openRedisSnapshot(repository, manifest, operation);
  return context.redis.importSnapshot(
    { target, format, facts, method: 'auto', dropExisting: false },
    { open, operation },
  );
}

/** Keys may expire between the proof and this question, never come. */
async function answers(
  { context, operation }: Rehearsal,
  { target, keys }: { readonly target: RedisTarget; readonly keys: number },
): Promise<Check> {
  const found = await context.redis.inspect(target, operation);
  const status = found.keys <= keys ? 'pass' : 'fail';
  const expected = `at most the ${keys} keys that were loaded`;
  return { name: 'redis answers', status, expected, actual: `${found.keys} keys`, message: '' };
}
