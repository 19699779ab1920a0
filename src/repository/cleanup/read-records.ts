import type { Problem } from '../../domain/backup.ts';
import type { RepositoryContext } from '../context.ts';
import { HOLDS_PREFIX, holdKey, isBackupId, REMOVALS_PREFIX, removalKey } from '../layout.ts';
import { mapBounded } from '../map-bounded.ts';
import { checkHolds } from './hold-record.ts';
import { readRemoval, type Removal } from './removal-record.ts';
import { isRecordDamaged, recordNames } from './signed-record.ts';

const READS_AT_ONCE = 16;

/** Every removal of a backup that can be trusted, by id, and every record beside the backups that cannot. */
export async function readRecords(
  context: RepositoryContext,
): Promise<{ readonly removals: ReadonlyMap<string, Removal>; readonly problems: readonly Problem[] }> {
  const removals = new Map<string, Removal>();
  const removed = await namesOf(context, REMOVALS_PREFIX);
  const held = await namesOf(context, HOLDS_PREFIX);
  const problems = [
    ...(await check(removed, removalKey, async (backupId) => {
      const removal = await readRemoval(context, backupId);
      if (removal !== undefined) removals.set(backupId, removal);
    })),
    ...(await check(held, holdKey, (backupId) => checkHolds(context, backupId))),
  ];
  return { removals, problems };
}

async function namesOf(context: RepositoryContext, prefix: string): Promise<string[]> {
  return [...(await recordNames(context, prefix))].filter(isBackupId);
}

async function check(
  ids: readonly string[],
  keyOf: (backupId: string) => string,
  read: (backupId: string) => Promise<void>,
): Promise<Problem[]> {
  const found = await mapBounded(ids, READS_AT_ONCE, async (backupId): Promise<Problem[]> => {
    try {
      await read(backupId);
      return [];
    } catch (error) {
      if (!isRecordDamaged(error)) throw error;
      return [{ backupId, key: keyOf(backupId), code: error.code, message: error.message }];
    }
  });
  return found.flat();
}
