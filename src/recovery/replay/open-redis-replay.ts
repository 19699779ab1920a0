import type { Manifest, RedisComponent } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { ReplayPlan } from '../../domain/replay.ts';
import { planStreamReplay } from '../../domain/stream-replay.ts';
import type { StreamPart } from '../../domain/stream-replay.ts';
import type { StreamCut, StreamSource } from '../../redis/journal/journal.ts';
import { findCut } from '../../redis/journal/stream/find-cut.ts';
import { readRecoveryCatalog } from '../read-catalog.ts';
import type { ReplaySources } from './replay-sources.ts';

type RedisReplay = NonNullable<ReplayPlan['redis']>;
type Sources = Pick<ReplaySources, 'repository'>;

/** A snapshot and the stream behind it, to be read as often as is needed. */
export interface OpenReplay {
  readonly manifest: Manifest;
  readonly facts: RedisComponent;
  readonly snapshot: () => AsyncIterable<Uint8Array>;
  readonly stream: StreamSource;
  /** Offset behind the last byte of it. */
  readonly streamEnd: number;
}

/** @throws LifeboatError RESTORE_COMPONENT_MISSING, BACKUP_NOT_FOUND */
export async function openRedisReplay(
  sources: Sources,
  { snapshotId }: Pick<RedisReplay, 'snapshotId'>,
  operation: Operation,
): Promise<OpenReplay> {
  const repository = await sources.repository();
  const manifest = await repository.load(snapshotId);
  const facts = manifest.components.redis;
  if (facts === undefined) {
    throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${snapshotId} holds no redis snapshot to replay on`);
  }
  const { redis } = await readRecoveryCatalog(repository, ['redis'], operation);
  const { parts, offset } = planStreamReplay(redis, { ...facts, timeMs: Date.parse(facts.snapshotAt) });
  return {
    manifest,
    facts,
    snapshot: () => repository.readArtifact(manifest, 'redis', 'snapshot', operation),
    stream: () => readStream(sources, parts, operation),
    streamEnd: offset,
  };
}

/** Each part whole: a chunk of a few MiB, which its reader walks through. */
async function* readStream(
  sources: Sources,
  parts: readonly StreamPart[],
  operation: Operation,
): AsyncGenerator<Awaited<ReturnType<typeof chunkOf>>> {
  const { journals } = await sources.repository();
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

/** Where the stream is to be cut; finding it reads all of it, so that damage is found before anything is touched. */
export async function cutOf(
  { facts, stream, streamEnd }: OpenReplay,
  target: RedisReplay['target'],
  operation: Operation,
): Promise<StreamCut> {
  // Nothing was written behind the snapshot.
  if (streamEnd === facts.offset) return { offset: facts.offset, timeMs: Date.parse(facts.snapshotAt) };
  const wanted = 'atMs' in target ? { atMs: target.atMs } : { offset: Number(target.position) };
  return findCut(stream, wanted, operation);
}
