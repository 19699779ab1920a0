import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RedisFacts } from '../../../domain/backup.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import { withPrivateFolder } from '../../../platform/files.ts';
import { exportByReplication } from '../../export-snapshot.ts';
import { importSnapshot } from '../../import-snapshot.ts';
import { startScratchRedis } from '../../scratch/scratch-redis.ts';
import { writeAppendOnlyDirectory } from '../aof/write-append-only-directory.ts';
import type { ReplayContext, ReplayRequest, ReplayResult } from './replay.ts';

/**
 * For a target that cannot be made a replica: a redis-server on this machine takes snapshot and stream, and its keys
 * are written into the target one by one and proved. REDIS_IMPORT_IMPOSSIBLE without a redis-server here.
 *
 * @param reason why the target cannot replicate from us
 */
export async function loadThroughScratch(
  request: ReplayRequest,
  context: ReplayContext,
  reason: string,
): Promise<ReplayResult> {
  return await withPrivateFolder('lifeboat-replay', async (folder) => {
    const rdb = join(folder, 'at-cut.rdb');
    const facts = await materialise(request, context, { folder, rdb });
    const { target, dropExisting } = request;
    const { checks, keys } = await importSnapshot({
      request: { target, format: 'redis-rdb', facts, method: 'restore', dropExisting },
      open: () => readPieces(rdb),
      operation: context.operation,
    });
    const how = { name: 'redis way', status: 'pass', expected: 'scratch', actual: 'scratch', message: reason } as const;
    return { checks: [how, ...checks], keys, offset: request.cut.offset };
  });
}

/** An RDB file with the state at the cut; a redis-server on this machine writes it. */
export async function materialise(
  request: Pick<ReplayRequest, 'cut' | 'serverPath' | 'facts'>,
  context: ReplayContext,
  { folder, rdb }: { readonly folder: string; readonly rdb: string },
): Promise<RedisFacts> {
  const { cut, serverPath } = request;
  const { operation } = context;
  const directory = join(folder, 'data');
  await writeAppendOnlyDirectory({ directory, cut }, context);
  const scratch = await startScratchRedis(
    { directory, ...(serverPath === undefined ? {} : { serverPath }) },
    operation,
  ).catch((cause: unknown) => {
    if (!(cause instanceof LifeboatError) || cause.code !== 'TOOL_MISSING') throw cause;
    const what = 'replay a redis stream into a target that cannot replicate: no redis-server on this machine';
    throw new LifeboatError('REDIS_IMPORT_IMPOSSIBLE', what, {
      cause,
      hint: 'install redis-server of the version of the source here, or name a target that may use REPLICAOF',
    });
  });
  try {
    const exported = await exportByReplication(scratch.target, {
      operation,
      sink: async (_artifact, source) => await writePieces(rdb, source),
    });
    await rm(directory, { recursive: true });
    // The same for every attempt, as far as keys do not expire in between: a later one knows what an earlier one left.
    return { ...exported, replid: request.facts.replid, offset: cut.offset, snapshotAt: request.facts.snapshotAt };
  } finally {
    await scratch.end();
  }
}

async function writePieces(path: string, source: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const piece of source) await file.writeFile(piece);
  } finally {
    await file.close();
  }
}

export async function* readPieces(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path, 'r');
  try {
    yield* file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>;
  } finally {
    await file.close();
  }
}
