import type { ComponentName, RecoveryPoint } from '../domain/backup.ts';
import type { DirectoryPlan, WrittenDirectory } from '../domain/directory-plan.ts';
import type { RestoreResult, Requested } from './messages.ts';

export interface DirectoryInput extends Requested {
  /** A backup id or `latest`. */
  readonly backup: string;
  /** Components asked for; `stored` takes all that the backup has. */
  readonly components: readonly ComponentName[] | 'stored';
  /** Absolute path on the worker's host: a new or an empty directory. */
  readonly directory: string;
  /** Only say what would be done. */
  readonly dryRun: boolean;
  /** An instant (ISO 8601) or a WAL position; null for the backup's own point. */
  readonly to: { readonly time: string } | { readonly lsn: string } | null;
  /** Target that the backup is read from, instead of the repository. */
  readonly fromTarget?: string;
}

export interface DirectoryResult extends Pick<RestoreResult, 'positions' | 'checks' | 'rtoMs' | 'rpoMs'> {
  readonly restoreId: string;
  readonly dryRun: boolean;
  readonly directory: string;
  readonly plan: DirectoryPlan;
  readonly restored: Pick<WrittenDirectory, 'postgres' | 'redis'>;
  readonly recoveryPoint: RecoveryPoint;
  /** Nothing was replaced: there is nothing to undo. */
  readonly undo: null;
}

/** Short steps of a restore into a directory; task queue `control`. */
export interface DirectoryControl {
  /** Finds what is written, and looks whether the directory can take it; writes nothing. */
  planDirectory(input: { request: DirectoryInput; restoreId: string }): Promise<DirectoryPlan>;
}

/** Long ones; task queue `data`. */
export interface DirectoryData {
  /** Writes beside the directory and renames what is whole. Repeated after it was done, it gives what was written. */
  writeDirectory(input: { plan: DirectoryPlan }): Promise<WrittenDirectory>;
  /** Removes what attempts that died have left beside the directory; never the directory. */
  clearDirectory(input: { directory: string }): Promise<void>;
}
