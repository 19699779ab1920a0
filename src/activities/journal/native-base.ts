import type { CopiedIncrementalBase, DataActivities } from '../../contract/activities.ts';
import type { BackupRecord, BaseBackupFacts, Manifest, PostgresFacts } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import {
  findNativeParent,
  nativeObstacle,
  type NativeObstacle,
  type NativeObstacleCode,
  type NativeOutcome,
  type NativeParent,
} from '../../domain/native-incremental.ts';
import type { Operation } from '../../domain/operation.ts';
import type { WalIdentity } from '../../postgres/wal/wal.ts';
import type { Dependencies } from '../dependencies.ts';
import { openComponent } from '../open-component.ts';
import { configured } from '../sources.ts';
import { bare, need } from './point-facts.ts';

/** The base that the changed blocks of the next incremental backup are taken on, or why there are none. Changes nothing. */
export async function planNative(
  deps: Dependencies,
  stand: { readonly backups: readonly BackupRecord[]; readonly fullId: string; readonly identity: WalIdentity },
): Promise<NativeOutcome | null> {
  const { native } = configured(deps.settings, 'postgres');
  if (native == null) return null;
  const { backups, fullId, identity } = stand;
  const parent = findNativeParent(backups, fullId, identity);
  const major = Math.floor(identity.serverVersion / 10_000);
  const obstacle =
    (await lookAtServer(deps, { major, identity, parent, chainMax: native.chainMax })) ??
    (await missingSummaries(deps, { major, parent }));
  return { parentId: obstacle === null ? (parent?.backupId ?? null) : null, obstacle };
}

async function lookAtServer(
  deps: Dependencies,
  asked: {
    readonly major: number;
    readonly identity: WalIdentity;
    readonly parent: NativeParent | undefined;
    readonly chainMax: number;
  },
): Promise<NativeObstacle | null> {
  const { major, identity, parent, chainMax } = asked;
  const { target } = configured(deps.settings, 'postgres');
  try {
    const survey = await (await deps.physical(major)).survey(target);
    const { pgCombinebackup } = await deps.serverTools(major);
    const { summarizesWal, inRecovery, dataChecksums, reason: baseObstacle } = survey;
    const can = { summarizesWal, inRecovery, dataChecksums, baseObstacle, canCombine: pgCombinebackup !== undefined };
    return nativeObstacle({ ...identity, ...can }, { parent, chainMax });
  } catch (error) {
    if (!(error instanceof LifeboatError) || error.code !== 'POSTGRES_SERVER_MISSING') throw error;
    return { code: 'combine-missing', reason: error.message };
  }
}

async function missingSummaries(
  deps: Dependencies,
  { major, parent }: { readonly major: number; readonly parent: NativeParent | undefined },
): Promise<NativeObstacle | null> {
  if (parent === undefined) return null;
  const { timeline, startLsn } = parent.base;
  const { target } = configured(deps.settings, 'postgres');
  const reason = await (await deps.physical(major)).missingSummaries(target, { timeline, from: startLsn });
  return reason === null ? null : { code: 'summaries-missing', reason };
}

type Copy = Parameters<DataActivities['copyIncrementalBase']>[0];

/** See DataActivities.copyIncrementalBase. */
export async function copyIncrementalBase(
  deps: Dependencies,
  input: Copy,
  operation: Operation,
): Promise<CopiedIncrementalBase> {
  try {
    return await copyBlocks(deps, input, operation);
  } catch (error) {
    operation.signal.throwIfAborted();
    const code = error instanceof LifeboatError ? suffices(error) : undefined;
    if (code === undefined) throw error;
    return { ref: null, obstacle: { code, reason: (error as LifeboatError).message } };
  }
}

/** Errors after which a position in the journals is enough: of the parent, and of the copy; undefined for those of the store. */
function suffices({ code }: LifeboatError): NativeObstacleCode | undefined {
  if (/^(OBJECT|MANIFEST|KEY|ARTIFACT|BACKUP_NOT_FOUND|RESTORE_COMPONENT)/.test(code)) return 'parent-unreadable';
  if (code === 'POSTGRES_BASE_TIMELINE_CHANGED') return 'timeline-changed';
  return /^POSTGRES_(BASE|TABLESPACES|SERVER|TOOL)/.test(code) ? 'copy-failed' : undefined;
}

async function copyBlocks(
  deps: Dependencies,
  { backupId, codec, parentId }: Copy,
  operation: Operation,
): Promise<CopiedIncrementalBase> {
  const repository = await deps.repository();
  const parent = await repository.load(parentId);
  const { base: under, journal: _journal, ...facts } = bare(need(parent.components.postgres, parentId));
  if (under === undefined) throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${parentId} has no physical base`);
  const { target } = configured(deps.settings, 'postgres');
  const library = await deps.physical(Math.floor(facts.serverVersion / 10_000));
  const parentManifest = (): AsyncIterable<Uint8Array> =>
    repository.readArtifact(parent, 'postgres', manifestNameOf(parent), operation);
  const component = await openComponent(repository, { backupId, name: 'postgres', codec }, operation);
  const taken = await library.takeBase({ target, parentManifest }, { sink: component.write, operation });
  requireSame(taken, under, parentId);
  const base: BaseBackupFacts = { ...taken, chain: [...(under.chain ?? []), parentId] };
  const now: PostgresFacts = { ...facts, method: ['physical'], base };
  const { ref, bytes } = await component.close(now, { time: base.endAt });
  return { ref, bytes };
}

function manifestNameOf({ id, components }: Manifest): string {
  const found = components.postgres?.artifacts.find(({ format }) => format === 'postgres-backup-manifest');
  if (found !== undefined) return found.name;
  throw new LifeboatError('ARTIFACT_NOT_FOUND', `${id} holds no backup manifest of the server`);
}

/** The server checks what it is given; this checks that it was given what the chain says. */
function requireSame(taken: BaseBackupFacts, under: BaseBackupFacts, parentId: string): void {
  const { systemIdentifier, timeline, parentStartLsn } = taken;
  if (systemIdentifier !== under.systemIdentifier || timeline !== under.timeline) {
    throw new LifeboatError(
      'POSTGRES_BASE_TIMELINE_CHANGED',
      `take a base on ${parentId}: it is of timeline ${under.timeline}, the server is on ${timeline} now`,
    );
  }
  if (parentStartLsn === under.startLsn) return;
  throw new LifeboatError('POSTGRES_BASE_FAILED', `take a base on ${parentId}: the server took it on another one`);
}
