import type { BackupRecord } from '../../domain/backup.ts';
import type { JournalKind } from '../../domain/journal.ts';
import { unneededEpochs } from '../../domain/retention/unneeded-epochs.ts';
import type { RepositoryContext } from '../context.ts';
import { type EpochPlace, epochName } from '../journals/journal-keys.ts';
import { listEpochs } from '../journals/list-epochs.ts';
import { readCatalog } from '../journals/read/read-catalog.ts';

/** What a target's own rules removed there, and which of its backups come again. */
export interface RemovedEpochs {
  readonly removed: ReadonlySet<string>;
  /** Every backup that the target is to have. */
  readonly wanted: readonly BackupRecord[];
  readonly hasRecalled: boolean;
}

/** Epochs to copy, and those of them that the target had removed and that a backup which comes again is replayed from. */
export async function placesToCopy(
  context: RepositoryContext,
  kind: JournalKind,
  { removed, wanted, hasRecalled }: RemovedEpochs,
): Promise<{ readonly places: readonly EpochPlace[]; readonly recalled: readonly EpochPlace[] }> {
  const all = await listEpochs(context.store, kind);
  const there = all.filter((place) => removed.has(epochName(place)));
  if (there.length === 0 || !hasRecalled) return { places: without(all, there), recalled: [] };
  const { epochs } = await readCatalog(context, kind, new Map());
  const unneeded = new Set(unneededEpochs(kind, epochs, wanted).map(({ begin }) => epochName(begin)));
  const recalled = there.filter((place) => !unneeded.has(epochName(place)));
  return { places: without(all, there), recalled };
}

function without(all: readonly EpochPlace[], some: readonly EpochPlace[]): EpochPlace[] {
  return all.filter((place) => !some.includes(place));
}
