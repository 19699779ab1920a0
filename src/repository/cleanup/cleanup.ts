import type { JournalEpoch, JournalKind } from '../../domain/journal.ts';
import type { Operation } from '../../domain/operation.ts';
import type { WriterContext } from '../context.ts';
import type { EpochPlace } from '../journals/journal-keys.ts';
import { epochPrefix } from '../journals/journal-keys.ts';
import { backupPrefix } from '../layout.ts';
import { loadRestore } from '../restore-records.ts';
import { hideEpoch, type HiddenEpoch, listHiddenEpochs, purgeEpoch } from './epoch-removal.ts';
import { type HiddenBackup, hideBackup, listHidden, recallBackup } from './hide-backup.ts';
import { type ChangeHolds, writeHolds } from './hold-record.ts';
import { purgeBackup, sizeOf } from './purge-backup.ts';
import { recordNames } from './signed-record.ts';
import { type Age, findUnreferenced, removeUnreferenced, type Unreferenced } from './unreferenced.ts';

/**
 * Removal in two halves. `hide…` writes a signed record: nobody lists the thing any more, and the chain of manifests stays provable.
 * `purge…` removes the objects, and refuses what no trusted record names. Between them lies a grace period, for whoever still reads, and in which
 * `recallBackup` takes the first half back. Everything is safe to repeat. What may be removed is not decided here.
 */
export interface RepositoryCleanup {
  hideBackup(backupId: string, why: { readonly removedAt: string; readonly reasons: readonly string[] }): Promise<void>;
  recallBackup(backupId: string): Promise<void>;
  hiddenBackups(): Promise<HiddenBackup[]>;
  /** Gives the bytes that it removed. */
  purgeBackup(backupId: string, operation: Operation): Promise<number>;

  hideEpoch(epoch: Pick<JournalEpoch, 'begin' | 'durable'>, removedAt: string): Promise<void>;
  hiddenEpochs(kind: JournalKind): Promise<HiddenEpoch[]>;
  purgeEpoch(place: EpochPlace, operation: Operation): Promise<number>;

  /** Bytes of what was hidden and not yet purged. */
  sizeOf(what: { readonly backupId: string } | EpochPlace): Promise<number>;

  findUnreferenced(age: Age, operation: Operation): Promise<Unreferenced>;
  removeUnreferenced(age: Age, operation: Operation): Promise<Unreferenced & { readonly unfinishedWrites: number }>;

  /** What holds a backup from now on, in place of what its manifest says. */
  writeHolds(backupId: string, change: ChangeHolds): Promise<void>;
  /** Every record of `keepRestore`, oldest first. */
  restores(): Promise<unknown[]>;
}

export function createCleanup(context: WriterContext): RepositoryCleanup {
  return {
    hideBackup: async (backupId, why) => hideBackup(context, backupId, why),
    recallBackup: async (backupId) => recallBackup(context, backupId),
    hiddenBackups: async () => listHidden(context),
    purgeBackup: async (backupId, operation) => purgeBackup(context, backupId, operation),
    hideEpoch: async (epoch, removedAt) => hideEpoch(context, epoch, removedAt),
    hiddenEpochs: async (kind) => listHiddenEpochs(context, kind),
    purgeEpoch: async (place, operation) => purgeEpoch(context, place, operation),
    sizeOf: async (what) => sizeOf(context, 'backupId' in what ? backupPrefix(what.backupId) : epochPrefix(what)),
    findUnreferenced: async (age, operation) => findUnreferenced(context, age, operation),
    removeUnreferenced: async (age, operation) => removeUnreferenced(context, age, operation),
    writeHolds: async (backupId, change) => writeHolds(context, backupId, change),
    restores: async () => {
      const ids = [...(await recordNames(context, 'restores/'))].toSorted();
      const records: unknown[] = [];
      for (const id of ids) records.push(await loadRestore(context.store, id));
      return records;
    },
  };
}
