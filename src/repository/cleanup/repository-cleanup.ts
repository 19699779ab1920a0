import type { JournalEpoch, JournalKind } from '../../domain/journal.ts';
import type { Operation } from '../../domain/operation.ts';
import type { EpochPlace } from '../journals/journal-keys.ts';
import type { Locked } from './unless-locked.ts';

/** A backup that was removed in order and whose objects are still there. */
export interface HiddenBackup {
  readonly backupId: string;
  /** The later of what the record says and when the store wrote it, milliseconds since 1970: one clock alone may be wrong. */
  readonly hiddenMs: number;
}

/** An epoch that was removed in order and whose objects are still there; `hiddenMs` as of a backup. */
export interface HiddenEpoch extends EpochPlace {
  readonly hiddenMs: number;
}

/** What nobody will ever read. */
export interface Unreferenced {
  /** Backups that were begun and never published. */
  readonly abandoned: readonly { readonly backupId: string; readonly sizeBytes: number }[];
  /** Objects of lost attempts below published backups, and what a question to the store left. */
  readonly leftovers: readonly { readonly key: string; readonly sizeBytes: number }[];
}

/** What went of that; what the store keeps locked is left to a later run. */
export interface RemovedUnreferenced extends Unreferenced {
  readonly unfinishedWrites: number;
  readonly locked: readonly Locked[];
}

/** `nowMs`: milliseconds since 1970. What was written within `olderThanMs` before may be of an operation that runs, and is left alone. */
export interface Age {
  readonly nowMs: number;
  readonly olderThanMs: number;
  /** Unpublished backups that are left alone whatever their age: at a target, what is still to be copied. */
  readonly except?: ReadonlySet<string>;
}

/** Why a backup is removed. */
export interface RemovalReason {
  /** ISO 8601. */
  readonly removedAt: string;
  readonly reasons: readonly string[];
  /** The rules of this target, and not of the repository: copies leave it alone from now on. */
  readonly scope?: 'target';
}

export interface DamagedRemoval extends RemovalReason {
  /** Also where nothing proves the damage. */
  readonly force: boolean;
  /** See RepositoryCleanup.knownDigests: read once for all that are removed. */
  readonly digests: ReadonlyMap<string, string>;
}

/** What the own rules of a target removed there, and the repository may have still. */
export interface RemovedHere {
  readonly backupIds: ReadonlySet<string>;
  /** Names as of `epochName`. */
  readonly epochs: ReadonlySet<string>;
}

export interface ChangeHolds {
  /** Why it is held, each reason once; empty for one that is free. */
  readonly holds: readonly string[];
  readonly changedAt: string;
  readonly changedBy: string;
}

/**
 * Removal in two halves. `hide…` writes a signed record: nobody lists the thing any more, and the chain of manifests stays provable.
 * `purge…` removes the objects, and refuses what no trusted record names. Between them lies a grace period, for whoever still reads, and in which
 * `recallBackup` takes the first half back. Everything is safe to repeat. What may be removed is not decided here.
 */
export interface RepositoryCleanup {
  hideBackup(backupId: string, why: RemovalReason): Promise<void>;
  /**
   * The same for one whose manifest cannot be trusted: the record names what its successor says it was. Without `force` only where that is
   * another manifest than the one that is there. @throws LifeboatError BACKUP_STILL_NEEDED where nothing says what it was
   */
  hideDamaged(backupId: string, why: DamagedRemoval): Promise<void>;
  /** What trusted documents say that manifests were, by backup: reads every manifest. Hiding changes nothing of it. */
  knownDigests(): Promise<ReadonlyMap<string, string>>;
  /** Of damaged backups those that are proven to be so: a trusted document says that they were another manifest. */
  provenDamaged(backupIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Ids that were removed in order, and those of them that this target alone removed. */
  removedBackups(): Promise<ReadonlySet<string>>;
  removedHere(): Promise<RemovedHere>;
  recallBackup(backupId: string): Promise<void>;
  hiddenBackups(): Promise<HiddenBackup[]>;
  /** Gives the bytes that it removed. STORE_LOCKED while the store does not let go. */
  purgeBackup(backupId: string, operation: Operation): Promise<number>;

  hideEpoch(epoch: Pick<JournalEpoch, 'begin' | 'durable'>, why: Omit<RemovalReason, 'reasons'>): Promise<void>;
  hiddenEpochs(kind: JournalKind): Promise<HiddenEpoch[]>;
  purgeEpoch(place: EpochPlace, operation: Operation): Promise<number>;

  /** Bytes of what was hidden and not yet purged. */
  sizeOf(what: { readonly backupId: string } | EpochPlace): Promise<number>;

  findUnreferenced(age: Age, operation: Operation): Promise<Unreferenced>;
  removeUnreferenced(age: Age, operation: Operation): Promise<RemovedUnreferenced>;

  /** What holds a backup from now on, in place of what its manifest says. */
  writeHolds(backupId: string, change: ChangeHolds): Promise<void>;
  /** Every record of `keepRestore`, oldest first. */
  restores(): Promise<unknown[]>;
}
