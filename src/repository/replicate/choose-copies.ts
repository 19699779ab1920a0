import type { BackupRecord } from '../../domain/backup.ts';
import { byId, neededBy } from '../../domain/lineage.ts';
import { isDueThere } from '../../domain/target-facts.ts';
import type { RemovedHere } from '../cleanup/repository-cleanup.ts';

/** What a run brings to a target. */
export interface ChosenCopies {
  /** Oldest first, so that what others stand on comes before them; ids sort by time. */
  readonly wanted: readonly BackupRecord[];
  /** Ids among them that the target's rules had removed. */
  readonly recalled: ReadonlySet<string>;
}

/**
 * All up to a backup, but for what the target's own rules removed there. That comes again only where it is held, or where a backup that is
 * to come stands on it.
 */
export function chooseCopies(
  all: readonly BackupRecord[],
  backup: string,
  { backupIds: removed }: Pick<RemovedHere, 'backupIds'>,
): ChosenCopies {
  const asked = all.toReversed().filter(({ id }) => backup === 'all' || id <= backup);
  const coming = asked.filter((backup) => isDueThere(backup, removed));
  const lineage = byId(all);
  const needed = new Set(coming.flatMap(({ id }) => neededBy(id, lineage).ids));
  const wanted = asked.filter(({ id }) => needed.has(id));
  return { wanted, recalled: new Set(wanted.map(({ id }) => id).filter((id) => removed.has(id))) };
}
