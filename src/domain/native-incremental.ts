import type { BackupRecord, BaseBackupFacts } from './backup.ts';
import { baseChain, byId } from './lineage.ts';
import { compareLsn } from './lsn.ts';

/** Why an incremental backup holds no changed blocks: a position in the journals suffices, with more WAL to replay. */
export type NativeObstacleCode =
  | 'server-too-old'
  | 'summaries-off'
  | 'summaries-missing'
  | 'standby'
  | 'timeline-changed'
  | 'checksums-changed'
  | 'no-parent'
  | 'parent-unreadable'
  | 'combine-missing'
  | 'base-impossible'
  | 'chain-full'
  | 'copy-failed';

export interface NativeObstacle {
  readonly code: NativeObstacleCode;
  /** For people: `summarize_wal is off`. */
  readonly reason: string;
}

/** What became of the changed blocks of an incremental backup. */
export interface NativeOutcome {
  /** The backup whose base they stand on; null where none were taken. */
  readonly parentId: string | null;
  /** Null where they were taken. */
  readonly obstacle: NativeObstacle | null;
}

/** What the server and this worker can do now. */
export interface NativeFacts {
  readonly serverVersion: number;
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly summarizesWal: boolean;
  readonly inRecovery: boolean;
  readonly dataChecksums: boolean;
  /** Empty where a base is possible. */
  readonly baseObstacle: string;
  readonly canCombine: boolean;
}

export interface NativeParent {
  readonly backupId: string;
  readonly base: BaseBackupFacts;
  /** Ids under it and itself, oldest first. */
  readonly chain: readonly string[];
}

const FIRST_VERSION = 170_000;

/** The newest base that stands on this full backup, over whatever chain that is whole. */
export function findNativeParent(
  backups: readonly BackupRecord[],
  fullId: string,
  server: Pick<NativeFacts, 'systemIdentifier'>,
): NativeParent | undefined {
  const lineage = byId(backups);
  const candidates = backups.flatMap((backup): NativeParent[] => {
    const base = backup.status === 'complete' ? backup.components.postgres?.base : undefined;
    if (base === undefined || base.systemIdentifier !== server.systemIdentifier) return [];
    const chain = baseChain(backup, lineage);
    return 'ids' in chain && chain.ids[0] === fullId ? [{ backupId: backup.id, base, chain: chain.ids }] : [];
  });
  return candidates.toSorted((a, b) => compareLsn(a.base.startLsn, b.base.startLsn)).at(-1);
}

/** Why the changed blocks cannot be taken on this parent; null where they can, as far as can be told before. */
export function nativeObstacle(
  facts: NativeFacts,
  { parent, chainMax }: { readonly parent: NativeParent | undefined; readonly chainMax: number },
): NativeObstacle | null {
  const { serverVersion } = facts;
  if (serverVersion < FIRST_VERSION) {
    return {
      code: 'server-too-old',
      reason: `PostgreSQL ${Math.floor(serverVersion / 10_000)} has no incremental base backups, 17 is the first`,
    };
  }
  if (facts.baseObstacle !== '') return { code: 'base-impossible', reason: facts.baseObstacle };
  if (!facts.summarizesWal) return { code: 'summaries-off', reason: 'summarize_wal is off' };
  if (!facts.canCombine)
    return { code: 'combine-missing', reason: 'the worker has no pg_combinebackup to restore it with' };
  if (parent === undefined) return { code: 'no-parent', reason: 'no base of the last full backup can be built on' };
  if (facts.inRecovery || parent.base.fromStandby) {
    return {
      code: 'standby',
      reason: 'the base or the server is one of a standby, whose WAL summaries may end elsewhere',
    };
  }
  return unfit(facts, parent) ?? tooLong(parent, chainMax);
}

function unfit({ timeline, dataChecksums }: NativeFacts, { backupId, base }: NativeParent): NativeObstacle | null {
  if (base.timeline !== timeline) {
    return { code: 'timeline-changed', reason: `${backupId} is of timeline ${base.timeline}, now ${timeline}` };
  }
  if (base.dataChecksums === dataChecksums) return null;
  // pg_checksums rewrites every block and logs none of it.
  return {
    code: 'checksums-changed',
    reason: `${backupId} is not known to have data checksums as the cluster has now`,
  };
}

function tooLong({ chain }: NativeParent, chainMax: number): NativeObstacle | null {
  const incrementals = chain.length - 1;
  if (incrementals < chainMax) return null;
  const reason = `${incrementals} incremental bases stand on ${chain[0]} already, which is the most that postgres.incrementalChain allows: a full backup is due`;
  return { code: 'chain-full', reason };
}

export function describeNativeObstacle({ reason }: NativeObstacle): string {
  return `no changed blocks were taken, so that a restore of this point replays more WAL: ${reason}`;
}
