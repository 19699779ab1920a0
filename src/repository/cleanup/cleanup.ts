import type { WriterContext } from '../context.ts';
import { epochPrefix } from '../journals/journal-keys.ts';
import { backupPrefix, RESTORES_PREFIX } from '../layout.ts';
import { loadRestore } from '../restore-records.ts';
import { hideDamaged, knownDigests, provenDamaged } from './hide-damaged.ts';
import { readRemovals } from './read-records.ts';
import { removedHere } from './removed-here.ts';
import { hideEpoch, listHiddenEpochs, purgeEpoch } from './epoch-removal.ts';
import { hideBackup, listHidden, recallBackup } from './hide-backup.ts';
import { writeHolds } from './hold-record.ts';
import { purgeBackup, sizeOf } from './purge-backup.ts';
import { recordNames } from './signed-record.ts';
import type { RepositoryCleanup } from './repository-cleanup.ts';
import { findUnreferenced, removeUnreferenced } from './unreferenced.ts';

export function createCleanup(context: WriterContext): RepositoryCleanup {
  return {
    hideBackup: async (backupId, why) => hideBackup(context, backupId, why),
    recallBackup: async (backupId) => recallBackup(context, backupId),
    hiddenBackups: async () => listHidden(context),
    purgeBackup: async (backupId, operation) => purgeBackup(context, backupId, operation),
    hideDamaged: async (backupId, why) => hideDamaged(context, backupId, why),
    knownDigests: async () => knownDigests(context),
    provenDamaged: async (backupIds) => provenDamaged(context, backupIds),
    removedBackups: async () => new Set((await readRemovals(context)).removals.keys()),
    removedHere: async () => removedHere(context),
    hideEpoch: async (epoch, why) => hideEpoch(context, epoch, why),
    hiddenEpochs: async (kind) => listHiddenEpochs(context, kind),
    purgeEpoch: async (place, operation) => purgeEpoch(context, place, operation),
    sizeOf: async (what) => sizeOf(context, 'backupId' in what ? backupPrefix(what.backupId) : epochPrefix(what)),
    findUnreferenced: async (age, operation) => findUnreferenced(context, age, operation),
    removeUnreferenced: async (age, operation) => removeUnreferenced(context, age, operation),
    writeHolds: async (backupId, change) => writeHolds(context, backupId, change),
    restores: async () => {
      const ids = [...(await recordNames(context, RESTORES_PREFIX))].toSorted();
      const records: unknown[] = [];
      for (const id of ids) records.push(await loadRestore(context.store, id));
      return records;
    },
  };
}
