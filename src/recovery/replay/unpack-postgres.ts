import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { BaseBackupFacts, Check, Manifest } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { lsnOf, segmentName } from '../../domain/lsn.ts';
import type { Operation } from '../../domain/operation.ts';
import type { ReplayPlan } from '../../domain/replay.ts';
import type { ChainPart } from '../../domain/wal-chain.ts';
import { planWalReplay, type WalReplay } from '../../domain/wal-replay.ts';
import type { PhysicalBackup, PostgresServerTools } from '../../postgres/physical/physical.ts';
import { WAL_FOLDER } from '../../postgres/scratch/prepare-directory.ts';
import type { Recovery } from '../../postgres/scratch/scratch.ts';
import { assembleWal } from '../../postgres/wal/files/assemble-wal.ts';
import { type FoundCommit, findCommit } from '../../postgres/wal/files/find-commit.ts';
import { readRecoveryCatalog } from '../read-catalog.ts';
import type { ReplaySources } from './replay-sources.ts';

type PostgresReplay = NonNullable<ReplayPlan['postgres']>;

/** Without a target the base alone is meant: its own end. */
export type BaseReplay = Pick<PostgresReplay, 'baseId'> & { readonly target: PostgresReplay['target'] | null };

/** A base and its WAL on this host's disk, and how far a server is to replay it. */
export interface UnpackedPostgres {
  readonly manifest: Manifest;
  readonly base: BaseBackupFacts;
  readonly tools: PostgresServerTools;
  readonly directory: string;
  readonly recovery: Pick<Recovery, 'target' | 'timeline'>;
  readonly checks: readonly Check[];
  readonly bytes: number;
}

/** Segments that are put together at a time: each is 16 MiB on its way from the store to the disk. */
const SEGMENTS_AT_ONCE = 2;

/**
 * Unpacks a base and the WAL that follows it, and finds the last transaction that the target lets in. Nothing of the directory is
 * used that an earlier attempt has left.
 */
export async function unpackPostgres(
  sources: ReplaySources,
  { replay, directory }: { readonly replay: BaseReplay; readonly directory: string },
  operation: Operation,
): Promise<UnpackedPostgres> {
  const repository = await sources.repository();
  const manifest = await repository.load(replay.baseId);
  const component = manifest.components.postgres;
  const base = component?.base;
  if (component === undefined || base === undefined) throw noBase(replay.baseId);
  const major = Math.floor(component.serverVersion / 10_000);
  const [physical, tools] = await Promise.all([sources.physical(major), sources.serverTools(major)]);

  await rm(directory, { recursive: true, force: true });
  const unpacked = await unpackBase(sources, { physical, manifest, directory }, operation);
  const common = { manifest, base, tools, directory, ...unpacked };
  const baseAlone = { ...common, recovery: { target: 'end', timeline: base.timeline } } as const;
  const { baseId, target } = replay;
  if (target === null) return baseAlone;
  const toTarget = { base, replay: { baseId, target } };
  const wal = await planWal(sources, toTarget, operation);
  await writeWal(sources, { wal, directory }, operation);
  const commit = await lastCommit({ wal, ...toTarget, tools, directory }, operation);
  if (commit !== null) {
    const timeline = wal.timelines.at(-1) ?? base.timeline;
    return { ...common, recovery: { target: { lsn: commit.lsn, inclusive: true }, timeline } };
  }
  // Nothing was committed between the base and the target: the base's own end is the state at that time.
  await rm(join(directory, WAL_FOLDER), { recursive: true });
  return baseAlone;
}

async function unpackBase(
  sources: ReplaySources,
  parts: { readonly physical: PhysicalBackup; readonly manifest: Manifest; readonly directory: string },
  operation: Operation,
): Promise<{ readonly bytes: number; readonly checks: readonly Check[] }> {
  const { physical, manifest, directory } = parts;
  const repository = await sources.repository();
  const { jobs } = sources;
  const artifacts = (manifest.components.postgres?.artifacts ?? []).filter(({ format }) =>
    format.startsWith('postgres-'),
  );
  const source = (name: string): AsyncIterable<Uint8Array> =>
    repository.readArtifact(manifest, 'postgres', name, operation);
  return physical.unpackBase({ directory, artifacts, jobs }, { source, operation });
}

async function planWal(
  sources: ReplaySources,
  { base, replay }: { readonly base: BaseBackupFacts; readonly replay: PostgresReplay },
  operation: Operation,
): Promise<WalReplay> {
  const { postgres, histories } = await readRecoveryCatalog(await sources.repository(), ['postgres'], operation);
  const { target: wanted } = replay;
  const target = 'atMs' in wanted ? { timeMs: wanted.atMs } : { lsn: wanted.position };
  const plan = planWalReplay(postgres, { base, target, histories });
  if (!plan.found) throw new LifeboatError(plan.code, plan.message);
  return plan;
}

/** Beside the data directory's own WAL, where the instance's restore_command finds it. */
async function writeWal(
  sources: ReplaySources,
  { wal, directory }: { readonly wal: WalReplay; readonly directory: string },
  operation: Operation,
): Promise<void> {
  const { journals } = await sources.repository();
  const folder = join(directory, WAL_FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const read = ({ epoch, entry }: ChainPart): AsyncIterable<Uint8Array> => journals.read(epoch, entry, operation);
  const files = assembleWal(wal, read).values();
  let bytes = 0;
  const lane = async (): Promise<void> => {
    for (const file of files) {
      const path = join(folder, file.name);
      await pipeline(file.read(), createWriteStream(path, { flush: true, mode: 0o600 }), { signal: operation.signal });
      bytes += file.bytes;
      operation.onProgress({ phase: 'bringing WAL', object: file.name, bytes });
    }
  };
  await Promise.all(Array.from({ length: SEGMENTS_AT_ONCE }, lane));
}

/** The last transaction that the target lets in. */
async function lastCommit(
  parts: {
    readonly wal: WalReplay;
    readonly base: BaseBackupFacts;
    readonly replay: PostgresReplay;
    readonly tools: PostgresServerTools;
    readonly directory: string;
  },
  operation: Operation,
): Promise<FoundCommit | null> {
  const { wal, base, replay, tools, directory } = parts;
  const { target } = replay;
  const { segmentBytes } = wal;
  const segments = wal.segments.map(({ timeline, from }) => ({
    from,
    path: join(directory, WAL_FOLDER, segmentName(timeline, lsnOf(from), segmentBytes)),
  }));
  if (segments.length === 0) return null;
  const to = 'position' in target ? target.position : wal.reach.at;
  const atMs = 'atMs' in target ? target.atMs : NO_TIME_LIMIT_MS;
  return findCommit({ pgWaldump: tools.pgWaldump, segmentBytes, segments, from: base.endLsn, to, atMs }, operation);
}

/** Later than any commit: only the position counts. */
const NO_TIME_LIMIT_MS = Date.UTC(9999, 0);

function noBase(backupId: string): LifeboatError {
  return new LifeboatError('RESTORE_COMPONENT_MISSING', `${backupId} holds no physical base to replay on`);
}
