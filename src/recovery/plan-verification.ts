import type { Problem } from '../domain/backup.ts';
import type { JournalKind } from '../domain/journal.ts';
import { redisLayersOf } from '../domain/redis-chain.ts';
import type { RepositoryReader } from '../repository/repository.ts';
import { journalsOf } from './verify-range.ts';

/** What is to be read back, in this order. */
export interface VerificationPlan {
  readonly backupIds: readonly string[];
  /** `backupId`: only what that incremental backup needs. */
  readonly journals: readonly { readonly kind: JournalKind; readonly backupId?: string }[];
  /** Of the group as a whole. */
  readonly problems: readonly Problem[];
}

/**
 * `all`, `latest` or an id. A backup is as good as what it stands on: an incremental one brings its full backup, and what lies
 * between them in the journals.
 * @throws LifeboatError BACKUP_NOT_FOUND for `latest` where there is none
 */
export async function planVerification(
  repository: Pick<RepositoryReader, 'list' | 'load' | 'verifyChain'>,
  backup: string,
): Promise<VerificationPlan> {
  const problems = await repository.verifyChain();
  const backups = await repository.list();
  if (backup === 'all') {
    const backupIds = backups.map(({ id }) => id).toReversed();
    return { backupIds, journals: [{ kind: 'postgres' }, { kind: 'redis' }], problems };
  }
  // An id as it is, also when its manifest is damaged: verification is there to say so.
  const backupId = backup === 'latest' ? (await repository.load('latest')).id : backup;
  const record = backups.find(({ id }) => id === backupId);
  if (record?.kind !== 'incremental' || record.status !== 'complete') {
    return { backupIds: [backupId], journals: [], problems };
  }
  const { parentId } = record;
  if (parentId === null || !backups.some(({ id }) => id === parentId)) {
    return { backupIds: [backupId], journals: [], problems: [...problems, missing(backupId, parentId)] };
  }
  // Incremental copies of Redis between the full backup and this one.
  const between = redisLayersOf(record.components.redis).filter((id) => id !== parentId);
  const found = between.filter((layer) => backups.some(({ id }) => id === layer));
  const lost = between.filter((layer) => !found.includes(layer)).map((layer) => missing(backupId, layer));
  const journals = journalsOf(record).map((kind) => ({ kind, backupId }));
  return { backupIds: [parentId, ...found, backupId], journals, problems: [...problems, ...lost] };
}

function missing(backupId: string, needed: string | null): Problem {
  const message = `${backupId} stands on ${needed ?? 'no backup'}, which is not there`;
  return { backupId, key: `backups/${needed ?? backupId}`, code: 'BACKUP_NOT_FOUND', message };
}
