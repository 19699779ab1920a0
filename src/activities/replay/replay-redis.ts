import type { Check, Manifest, RedisComponent } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { ReplayPlan } from '../../domain/replay.ts';
import { planStreamReplay } from '../../domain/stream-replay.ts';
import type { StreamPart } from '../../domain/stream-replay.ts';
import type { StreamCut, StreamSource } from '../../redis/journal/journal.ts';
import { replayIntoServer } from '../../redis/journal/replay/replay-into-server.ts';
import type { Dependencies } from '../dependencies.ts';
import { configured } from '../sources.ts';
import { readRecoveryCatalog } from './catalog.ts';

type RedisReplay = NonNullable<ReplayPlan['redis']>;

/** A snapshot and the stream behind it, to be read as often as is needed. */
export interface OpenReplay {
  readonly manifest: Manifest;
  readonly facts: RedisComponent;
  readonly snapshot: () => AsyncIterable<Uint8Array>;
  readonly stream: StreamSource;
  /** Offset behind the last byte of it. */
  readonly streamEnd: number;
}

export async function openRedisReplay(
  deps: Dependencies,
  { snapshotId }: Pick<RedisReplay, 'snapshotId'>,
  operation: Operation,
): Promise<OpenReplay> {
  const repository = await deps.repository();
  const manifest = await repository.load(snapshotId);
  const facts = manifest.components.redis;
  if (facts === undefined) {
    throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${snapshotId} holds no redis snapshot to replay on`);
  }
  const { redis } = await readRecoveryCatalog(deps, ['redis'], operation);
  const { parts, offset } = planStreamReplay(redis, { ...facts, timeMs: Date.parse(facts.snapshotAt) });
  return {
    manifest,
    facts,
    snapshot: () => repository.readArtifact(manifest, 'redis', 'snapshot', operation),
    stream: () => readStream(deps, parts, operation),
    streamEnd: offset,
  };
}

/** Each part whole: a chunk of a few MiB, which its reader walks through. */
async function* readStream(
  deps: Dependencies,
  parts: readonly StreamPart[],
  operation: Operation,
): AsyncGenerator<Awaited<ReturnType<typeof chunkOf>>> {
  const { journals } = await deps.repository();
  for (const part of parts) yield await chunkOf(part, journals.read(part.epoch, part.entry, operation));
}

async function chunkOf(
  { skipBytes, bytes, from, fromMs, marks }: StreamPart,
  source: AsyncIterable<Buffer>,
): Promise<{ from: number; bytes: Buffer; fromMs: number; marks: StreamPart['marks'] }> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(piece);
  return { from, fromMs, marks, bytes: Buffer.concat(pieces).subarray(skipBytes, skipBytes + bytes) };
}

/** Where the stream is to be cut; finding it reads all of it, so that damage is found before live keys are touched. */
export async function findRedisCut(deps: Dependencies, replay: RedisReplay, operation: Operation): Promise<StreamCut> {
  const { facts, stream, streamEnd } = await openRedisReplay(deps, replay, operation);
  const { target } = replay;
  // Nothing was written behind the snapshot.
  if (streamEnd === facts.offset) return { offset: facts.offset, timeMs: Date.parse(facts.snapshotAt) };
  const wanted = 'atMs' in target ? { atMs: target.atMs } : { offset: Number(target.position) };
  return deps.redisJournal.findCut(stream, wanted, operation);
}

export async function replayRedisIntoServer(
  deps: Dependencies,
  request: { readonly replay: RedisReplay; readonly cut: StreamCut; readonly dropExisting: boolean },
  operation: Operation,
): Promise<{ readonly keys: number; readonly method: string; readonly checks: readonly Check[] }> {
  const { target, agentHost } = configured(deps.settings, 'redis');
  const { facts, snapshot, stream } = await openRedisReplay(deps, request.replay, operation);
  const { cut, dropExisting } = request;
  const { checks, keys } = await replayIntoServer(
    { target, facts, cut, dropExisting, ...(agentHost === undefined ? {} : { agentHost }) },
    { snapshot, stream, operation },
  );
  return { keys, method: 'replay', checks };
}
