import type { BackupRecord, Problem } from '../domain/backup.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { JournalKind } from '../domain/journal.ts';
import { baseChain, byId, neededBy } from '../domain/lineage.ts';
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
 * `all`, `latest` or an id. A backup is as good as what it stands on: an incremental one brings its full backup, the bases that its
 * own is combined with, and what lies between them in the journals.
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
  const under = whatIsUnder(record, backups);
  const all = [...problems, ...under.problems];
  // What lies in the journals is counted from the full backup: without it there is nothing to begin at.
  const countable = record.parentId !== null && under.backupIds.includes(record.parentId);
  const journals = countable ? journalsOf(record).map((kind) => ({ kind, backupId })) : [];
  return { backupIds: under.backupIds, journals, problems: all };
}

/** An incremental backup and all that it stands on, as far as it is there, oldest first; and what is not. */
function whatIsUnder(
  record: BackupRecord,
  backups: readonly BackupRecord[],
): { readonly backupIds: readonly string[]; readonly problems: readonly Problem[] } {
  const { id: backupId } = record;
  const lineage = byId(backups);
  const { ids } = neededBy(backupId, lineage);
  const problem = (id: string, code: ErrorCode, message: string): Problem => ({
    backupId,
    key: `backups/${id}`,
    code,
    message,
  });
  const lost = ids.filter((id) => !lineage.has(id));
  const problems = lost.map((id) => problem(id, 'BACKUP_NOT_FOUND', `${backupId} stands on ${id}, which is not there`));
  const chain = record.components.postgres?.base && baseChain(record, lineage);
  if (chain !== undefined && 'message' in chain && lost.length === 0) {
    problems.push(problem(chain.missing, 'BACKUP_CHAIN_BROKEN', chain.message));
  }
  if (record.parentId === null) problems.push(problem(backupId, 'BACKUP_NOT_FOUND', `${backupId} stands on no backup`));
  return { backupIds: ids.filter((id) => lineage.has(id)), problems };
}
