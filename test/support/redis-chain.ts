/** A chain of dumps of a test server in memory: a full one and incremental ones by digests. */
import type { RedisFacts } from '../../src/domain/backup.ts';
import type { Operation } from '../../src/domain/operation.ts';
import { createRedis } from '../../src/redis/create-redis.ts';
import { composeDump } from '../../src/redis/digests/compose-dump.ts';
import type { RedisTarget, SnapshotSink } from '../../src/redis/redis.ts';
import { inPieces, QUIET } from './redis-dumps.ts';

export interface ChainLink {
  readonly id: string;
  readonly facts: RedisFacts;
  /** Bytes of each artifact by its name. */
  readonly artifacts: ReadonlyMap<string, Buffer>;
}

const redis = createRedis();

export async function fullLink(target: RedisTarget, scratchDirectory: string): Promise<ChainLink> {
  const { artifacts, sink } = createSink();
  const context = { sink, operation: QUIET, indexDirectory: scratchDirectory };
  const facts = await redis.exportSnapshot(target, 'dump', context);
  return { id: 'full', facts, artifacts };
}

/** What changed since the last of `chain`. */
export async function nextLink(
  target: RedisTarget,
  chain: readonly ChainLink[],
  { scratchDirectory, operation = QUIET }: { readonly scratchDirectory: string; readonly operation?: Operation },
): Promise<ChainLink> {
  const { artifacts, sink } = createSink();
  const last = chain.at(-1)!;
  const base = {
    openIndex: () => inPieces(last.artifacts.get('digests')!, 10_000),
    layers: chain.map(({ id }) => id),
    rdbVersion: last.facts.rdbVersion,
  };
  const facts = await redis.exportChanges(target, base, { sink, operation, scratchDirectory });
  return { id: `incremental-${chain.length}`, facts, artifacts };
}

/** What the server held at the last of `chain`, as a redis-dump. */
export async function composeChain(chain: readonly ChainLink[]): Promise<() => AsyncIterable<Uint8Array>> {
  const layers = chain.map(({ id, facts, artifacts }) => ({
    backupId: id,
    keys: facts.digests?.changed ?? 0,
    open: () => inPieces(artifacts.get('snapshot') ?? artifacts.get('changes')!, 50_000),
  }));
  return await composeDump(inPieces(chain.at(-1)!.artifacts.get('digests')!, 7000), layers);
}

function createSink(): { readonly artifacts: ReadonlyMap<string, Buffer>; readonly sink: SnapshotSink } {
  const artifacts = new Map<string, Buffer>();
  return {
    artifacts,
    sink: async ({ name }, source) => {
      const chunks: Buffer[] = [];
      for await (const chunk of source) chunks.push(Buffer.from(chunk));
      artifacts.set(name, Buffer.concat(chunks));
    },
  };
}
