import { LifeboatError } from '../../domain/errors.ts';
import { readManifestBytes } from './backup-manifest.ts';
import type { BaseSink } from './physical.ts';
import { createTarReader, type TarReader } from './tar/read-tar.ts';
import { paddingBytes, TAR_BLOCK_BYTES, type TarMember } from './tar/tar-header.ts';
import { formatLsn, parseSegmentName, type WalSegment } from './wal-position.ts';

export interface CutBase {
  readonly pieceBytes: number;
  readonly sink: BaseSink;
  /** The data directory has been read, its WAL follows: the copy is consistent by now. */
  onWal(): Promise<void>;
  /** Ends the source at once: called on a failure, so that nobody waits for the bytes of an artifact that nobody wants. */
  stop(reason: unknown): void;
}

export interface CutResult {
  readonly bytes: number;
  /** As the server wrote it. */
  readonly manifest: Buffer;
  /** Decimal; from the control file. */
  readonly systemIdentifier: string;
  readonly walSegmentBytes: number;
}

/**
 * Artifacts that the sink may still finish while the next one is read. More would only be more blocks in memory: the
 * compressors are busy with two.
 */
const FINISHING_MAX = 1;

/** First bytes of pg_control: ControlFileData in catalog/pg_control.h begins with the system identifier. */
const CONTROL_FILE = 'global/pg_control';

type Lane = 'base' | 'wal' | 'manifest' | 'none';

/**
 * Reads the tar stream of pg_basebackup once and gives it to the sink in artifacts: the data directory in pieces, each an
 * archive of its own, then the WAL as raw bytes, then the manifest.
 */
export async function cutBase(source: AsyncIterable<Uint8Array>, cut: CutBase): Promise<CutResult> {
  const reader = createTarReader(source);
  const run: Run = { reader, cut, pieces: 0, bytes: 0, systemIdentifier: '', walSegmentBytes: 0, finishing: [] };
  try {
    for (let member = await reader.peek(); member !== undefined; member = await reader.peek()) {
      await takeLane(run, member);
    }
    await reader.drain();
    await Promise.all(run.finishing);
  } catch (error) {
    cut.stop(error);
    throw error;
  } finally {
    await Promise.allSettled([reader.close(), ...run.finishing]);
  }
  const { manifest, bytes, systemIdentifier, walSegmentBytes } = run;
  if (manifest === undefined || walSegmentBytes === 0) throw incomplete(manifest === undefined);
  await cut.sink({ name: 'manifest', format: 'postgres-backup-manifest', attributes: {} }, once(manifest));
  return { bytes, manifest, systemIdentifier, walSegmentBytes };
}

interface Run {
  readonly reader: TarReader;
  readonly cut: CutBase;
  readonly finishing: Promise<void>[];
  manifest?: Buffer;
  pieces: number;
  bytes: number;
  systemIdentifier: string;
  walSegmentBytes: number;
}

const BASE = { format: 'postgres-base-tar', attributes: {} } as const;

/** Status files of archiving are left out: they are about the archive of the source. */
function laneOf({ name, folder }: TarMember): Lane {
  if (folder) return 'base';
  if (name === 'backup_manifest') return 'manifest';
  if (name.startsWith('pg_wal/archive_status/')) return 'none';
  return /^pg_wal\/[0-9A-F]{24}$/.test(name) ? 'wal' : 'base';
}

/** Takes the next member, and those that belong to the same artifact. */
async function takeLane(run: Run, member: TarMember): Promise<void> {
  const lane = laneOf(member);
  if (lane === 'base') {
    run.pieces += 1;
    await give(run, { name: `base-${String(run.pieces).padStart(4, '0')}`, ...BASE }, piece(run));
  } else if (lane === 'wal') {
    await run.cut.onWal();
    await give(run, walArtifact(run, member), wal(run));
  } else {
    const bytes = await readManifestBytes(run.reader.content());
    if (lane === 'manifest') run.manifest = bytes;
  }
}

/** Hands the artifact to the sink, and returns when its bytes were taken: the sink goes on finishing it meanwhile. */
async function give(
  { cut, finishing }: Run,
  artifact: Parameters<BaseSink>[0],
  bytes: AsyncGenerator<Uint8Array, void, undefined>,
): Promise<void> {
  const { promise: taken, resolve: settle } = Promise.withResolvers<void>();
  async function* watched(): AsyncGenerator<Uint8Array, void, undefined> {
    yield* bytes;
    settle();
  }
  const stored = cut.sink(artifact, watched());
  // Awaited below or at the end; a failure before that must not count as unhandled.
  stored.catch(() => undefined);
  finishing.push(stored);
  await Promise.race([taken, ...finishing.slice(0, -1).map(onlyFailure), stored]);
  while (finishing.length > FINISHING_MAX) await finishing.shift();
}

/** Never settles when the promise is kept, so that a race goes on without it. */
function onlyFailure(promise: Promise<void>): Promise<never> {
  return new Promise((_, reject) => void promise.catch(reject));
}

/** Members from the next one on, to the first that would make the piece longer than it should be, and an archive's end. */
async function* piece(run: Run): AsyncGenerator<Uint8Array, void, undefined> {
  const { reader, cut } = run;
  let bytes = 0;
  for (let member = await reader.peek(); member !== undefined; member = await reader.peek()) {
    const memberBytes = TAR_BLOCK_BYTES + member.sizeBytes + paddingBytes(member.sizeBytes);
    if (laneOf(member) !== 'base' || (bytes > 0 && bytes + memberBytes > cut.pieceBytes)) break;
    bytes += memberBytes;
    run.bytes += member.sizeBytes;
    yield member.header;
    yield* member.name === CONTROL_FILE ? controlFile(run) : reader.content();
    if (paddingBytes(member.sizeBytes) > 0) yield Buffer.alloc(paddingBytes(member.sizeBytes));
  }
  yield Buffer.alloc(2 * TAR_BLOCK_BYTES);
}

async function* controlFile(run: Run): AsyncGenerator<Uint8Array, void, undefined> {
  const content = await readManifestBytes(run.reader.content());
  // Little endian, as on every machine that PostgreSQL and Node both run on.
  run.systemIdentifier = content.readBigUInt64LE().toString();
  yield content;
}

function walArtifact(run: Run, { name, sizeBytes }: TarMember): Parameters<BaseSink>[0] {
  run.walSegmentBytes = sizeBytes;
  const { timeline, from } = segmentOf(name, sizeBytes);
  return {
    name: 'wal',
    format: 'postgres-wal',
    attributes: { timeline: String(timeline), from: formatLsn(from), walSegmentBytes: String(sizeBytes) },
  };
}

/** Segments one after the other; the server refuses to send a row with a hole in it, and so do we. */
async function* wal(run: Run): AsyncGenerator<Uint8Array, void, undefined> {
  const { reader, walSegmentBytes } = run;
  let last: WalSegment | undefined;
  for (let member = await reader.peek(); member !== undefined; member = await reader.peek()) {
    const lane = laneOf(member);
    if (lane !== 'wal' && lane !== 'none') return;
    if (lane === 'wal') {
      last = follow(last, segmentOf(member.name, walSegmentBytes), walSegmentBytes);
      yield* reader.content();
    } else {
      await readManifestBytes(reader.content());
    }
  }
}

function follow(last: WalSegment | undefined, next: WalSegment, walSegmentBytes: number): WalSegment {
  if (last !== undefined && last.timeline !== next.timeline) {
    const facts = `from ${last.timeline} to ${next.timeline}`;
    throw new LifeboatError('POSTGRES_BASE_TIMELINE_CHANGED', `take a base backup: the timeline went ${facts}`);
  }
  if (last !== undefined && last.from + BigInt(walSegmentBytes) !== next.from) {
    throw new LifeboatError('POSTGRES_BASE_FAILED', `take a base backup: no WAL before ${formatLsn(next.from)}`);
  }
  return next;
}

const segmentOf = (name: string, walSegmentBytes: number): WalSegment =>
  parseSegmentName(name.slice('pg_wal/'.length), walSegmentBytes);

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

function incomplete(noManifest: boolean): LifeboatError {
  const what = noManifest ? 'no backup manifest' : 'no WAL';
  return new LifeboatError('POSTGRES_BASE_FAILED', `take a base backup: the server sent ${what}`);
}
