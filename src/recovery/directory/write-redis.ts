import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from '../../domain/backup.ts';
import type { DirectoryPlan, WrittenDirectory } from '../../domain/directory-plan.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { writeAppendOnlyDirectory } from '../../redis/journal/aof/write-append-only-directory.ts';
import type { StreamCut } from '../../redis/journal/journal.ts';
import { syncTree } from '../../platform/sync-tree.ts';
import { cutOf, openRedisReplay, type OpenReplay } from '../replay/open-redis-replay.ts';
import type { DirectoryContext } from './directory-context.ts';

/** Name of the Redis folder in the directory of a restore. */
export const REDIS_FOLDER = 'redis';

export interface WrittenRedis {
  readonly facts: Omit<NonNullable<WrittenDirectory['redis']>, 'directory'>;
  readonly checks: readonly Check[];
}

/** A working folder of a redis-server of the source's version: its snapshot, the stream to the target, a small redis.conf. */
export async function writeRedis(
  { sources }: Pick<DirectoryContext, 'sources'>,
  request: {
    readonly plan: NonNullable<DirectoryPlan['redis']>;
    /** Where it is written, and where it will be. */
    readonly folder: string;
    readonly place: string;
  },
  operation: Operation,
): Promise<WrittenRedis> {
  const { plan, folder, place } = request;
  const directory = join(folder, REDIS_FOLDER);
  const replay = await openRedisReplay(sources, plan, operation);
  const cut = plan.target === null ? ownPoint(replay) : await cutOf(replay, plan.target, operation);
  const { keys } = await writeAppendOnlyDirectory({ directory, cut }, { ...replay, operation });
  await writeFile(join(directory, 'redis.conf'), configuration(join(place, REDIS_FOLDER)), { mode: 0o600 });
  await syncTree(directory, operation);
  const position = { position: String(cut.offset), timeline: 0, at: new Date(cut.timeMs).toISOString() };
  const { server } = replay.facts;
  return { facts: { server, position }, checks: [keysCheck(replay, keys)] };
}

function ownPoint({ facts }: OpenReplay): StreamCut {
  return { offset: facts.offset, timeMs: Date.parse(facts.snapshotAt) };
}

/** @throws LifeboatError RESTORE_CONTENT_MISMATCH */
function keysCheck({ manifest, facts }: OpenReplay, keys: number): Check {
  if (keys !== facts.keys) {
    const what = `${manifest.id}: the redis snapshot holds ${keys} keys, its manifest says ${facts.keys}`;
    throw new LifeboatError('RESTORE_CONTENT_MISMATCH', what);
  }
  const count = `${keys} keys`;
  return { name: 'redis snapshot read to its end', status: 'pass', expected: count, actual: count, message: '' };
}

/** More than anybody uses: how many the source has is not in a snapshot, and a stream may select any of them. */
const DATABASES = 1_024;

/** Names of files are the defaults of every version; `dir` is absolute, so that a wrong place is an error and not an empty server. */
function configuration(directory: string): string {
  return [
    '# Made when this copy was restored. It holds no password: the one of the source is not in a backup.',
    'bind 127.0.0.1',
    'port 6379',
    `dir ${JSON.stringify(directory)}`,
    'appendonly yes',
    'appendfilename "appendonly.aof"',
    'aof-load-truncated no',
    `databases ${DATABASES}`,
    '',
  ].join('\n');
}
