import type { Problem } from '../../domain/backup.ts';
import type { RepositoryContext } from '../context.ts';
import { HOLDS_PREFIX, holdKey, isBackupId, REMOVALS_PREFIX, removalKey } from '../layout.ts';
import { mapBounded } from '../map-bounded.ts';
import { checkHolds } from './hold-record.ts';
import { readRemoval, type Removal } from './removal-record.ts';
import { isRecordDamaged, recordNames } from './signed-record.ts';

const READS_AT_ONCE = 16;

interface ReadRemovals {
  /** Every removal of a backup that can be trusted, by id. */
  readonly removals: ReadonlyMap<string, Removal>;
  /** Every record that cannot. */
  readonly problems: readonly Problem[];
}

export async function readRemovals(context: RepositoryContext): Promise<ReadRemovals> {
  const removals = new Map<string, Removal>();
  const problems = await check(await namesOf(context, REMOVALS_PREFIX), removalKey, async (backupId) => {
    const removal = await readRemoval(context, backupId);
    if (removal !== undefined) removals.set(backupId, removal);
  });
  return { removals, problems };
}

/** The same, with what is wrong with the holds. */
export async function readRecords(context: RepositoryContext): Promise<ReadRemovals> {
  const { removals, problems } = await readRemovals(context);
  const held = await namesOf(context, HOLDS_PREFIX);
  return { removals, problems: [...problems, ...(await check(held, holdKey, (id) => checkHolds(context, id)))] };
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
