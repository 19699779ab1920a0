import { isAbsolute } from 'node:path';
import type { Client } from '@temporalio/client';
import type { CleanupResult, HoldResult } from '../contract/cleanup.ts';
import type { DirectoryInput, DirectoryResult } from '../contract/directory.ts';
import type {
  BackupInput,
  BackupResult,
  CatalogResult,
  RestoreInput,
  RestoreResult,
  UndoRestoreResult,
  VerifyResult,
} from '../contract/messages.ts';
import { besideWorkflowId, groupWorkflowId, WORKFLOWS } from '../contract/names.ts';
import type { BackupKind, BackupRecord, ComponentName } from '../domain/backup.ts';
import { targetRedisUrl } from '../domain/target-redis.ts';
import { ask } from './ask.ts';
import { readJournalStatus } from './journal-status.ts';
import type { JournalStatus } from './journal-status.ts';
import type { RestoreSelectionResult } from '../contract/selection.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { RewrapResult } from '../contract/keys.ts';
import { startOperation } from './operation.ts';
import type { StartedOperation, StartOperation } from './operation.ts';
import {
  awaitTargetCleanups,
  startCleanup,
  startHold,
  type CleanupOptions,
  type TargetCleanupOutcome,
} from './start-cleanup.ts';
import type { VerifyOldestResult } from '../contract/verification.ts';
import type { VerificationBudget } from '../domain/oldest-first.ts';
import { startRewrap } from './start-rewrap.ts';
import { startVerifyOldest } from './start-verify-oldest.ts';
import { startSelection } from './start-selection.ts';
import type { SelectionOptions } from './start-selection.ts';

export interface BackupOptions {
  /** Default: every configured component. */
  readonly components?: readonly ComponentName[];
  readonly label?: Readonly<Record<string, string>>;
  /** Pins the backup against cleanup, with this reason. */
  readonly hold?: string;
}

export interface RestoreOptions {
  /** Default: every component that the backup holds. */
  readonly components?: readonly ComponentName[];
  readonly dropExisting?: boolean;
  readonly targetDatabase?: string;
  readonly stopServices?: boolean;
  readonly dryRun?: boolean;
  /** An instant to restore to, instead of the backup's own; the backup is the one to stand on, or `latest` for the best. */
  readonly toTime?: Date;
  /** A WAL position to restore to; Redis is brought to the moment at which the server was there. */
  readonly toLsn?: string;
  /** URL of another Redis that takes the keys, without a password. What it holds is replaced, and not saved. */
  readonly targetRedis?: string;
  /** Target that the backup is read from, instead of the repository. */
  readonly fromTarget?: string;
}

/** Where backups are looked up. */
export type ReadOptions = Pick<RestoreOptions, 'fromTarget'>;

export interface DirectoryOptions extends Pick<
  RestoreOptions,
  'components' | 'dryRun' | 'toTime' | 'toLsn' | 'fromTarget'
> {
  /** Absolute path on the worker's host: a new or an empty directory. */
  readonly directory: string;
}

/**
 * Backups and restores of one group. `start…` gives a running operation, the other methods wait for its end.
 * All reject with a LifeboatError; GROUP_BUSY when another operation holds the group.
 */
export interface BackupManager {
  startBackup(kind: BackupKind, options?: BackupOptions): Promise<StartedOperation<BackupResult>>;
  startRestore(backup: string, options?: RestoreOptions): Promise<StartedOperation<RestoreResult>>;
  /** Runs beside other operations: nothing live is touched. */
  startRestoreToDirectory(backup: string, options: DirectoryOptions): Promise<StartedOperation<DirectoryResult>>;
  /** Single tables and keys. */
  startSelection(backup: string, options: SelectionOptions): Promise<StartedOperation<RestoreSelectionResult>>;
  startUndo(restoreId: string, options?: { readonly dryRun?: boolean }): Promise<StartedOperation<UndoRestoreResult>>;
  /** `fromTarget`: the copies of a target instead of the repository. */
  startVerify(backup: string, options?: ReadOptions): Promise<StartedOperation<VerifyResult>>;
  /** Removes what retention does not keep; a dry run only says what. */
  startCleanup(options?: CleanupOptions): Promise<StartedOperation<CleanupResult>>;
  /** Pins a backup against cleanup; `reason` null releases it. */
  startHold(backup: string, reason: string | null): Promise<StartedOperation<HoldResult>>;
  /** Reads backups back within a budget, the one that was read back longest ago first. */
  startVerifyOldest(budget: VerificationBudget): Promise<StartedOperation<VerifyOldestResult>>;
  /** Wraps all data keys for the key that is active on the worker; runs beside other operations. */
  startRewrap(): Promise<StartedOperation<RewrapResult>>;

  performFullBackup(options?: BackupOptions): Promise<BackupResult>;
  /** Without a journal that runs, a full backup is taken and `warnings` says so. */
  performIncrementalBackup(options?: BackupOptions): Promise<BackupResult>;
  restoreFromBackup(backupId: string, options?: RestoreOptions): Promise<RestoreResult>;
  /** Data directories that PostgreSQL and Redis start on without Lifeboat. */
  restoreToDirectory(backupId: string, options: DirectoryOptions): Promise<DirectoryResult>;
  /** Single tables, beside the live ones or in their place, and single keys. */
  restoreSelection(backupId: string, options: SelectionOptions): Promise<RestoreSelectionResult>;
  undoRestore(restoreId: string): Promise<UndoRestoreResult>;
  verifyBackups(backup: string, options?: ReadOptions): Promise<VerifyResult>;
  cleanupOldBackups(options?: CleanupOptions): Promise<CleanupResult>;
  /** Waits for what a cleanup does at the targets, all at once; a target that failed is an outcome. */
  awaitTargetCleanups(result: Pick<CleanupResult, 'targets'>): Promise<readonly TargetCleanupOutcome[]>;
  holdBackup(backup: string, reason: string): Promise<HoldResult>;
  releaseBackup(backup: string): Promise<HoldResult>;
  /** Newest first. */
  listBackups(): Promise<readonly BackupRecord[]>;
  /** Newest first, with what can be restored. */
  readCatalog(options?: ReadOptions): Promise<CatalogResult>;
  showBackup(backup: string): Promise<CatalogResult>;
  /** How each journal of the group is. */
  journalStatus(): Promise<readonly JournalStatus[]>;
}

export interface ManagerContext {
  readonly client: Client;
  readonly group: string;
  /** `user@host`, for people who look at the run. */
  readonly requestedBy: string;
}

export function createBackupManager(context: ManagerContext): BackupManager {
  const starts = createStarts(context);
  const look = (question: CatalogQuestion): Promise<CatalogResult> => readCatalog(context, question);
  return {
    ...starts,
    performFullBackup: async (options) => (await starts.startBackup('full', options)).result(),
    performIncrementalBackup: async (options) => (await starts.startBackup('incremental', options)).result(),
    restoreFromBackup: async (backupId, options) => (await starts.startRestore(backupId, options)).result(),
    restoreToDirectory: async (backupId, options) => (await starts.startRestoreToDirectory(backupId, options)).result(),
    restoreSelection: async (backupId, options) => (await starts.startSelection(backupId, options)).result(),
    undoRestore: async (restoreId) => (await starts.startUndo(restoreId)).result(),
    verifyBackups: async (backup, options) => (await starts.startVerify(backup, options)).result(),
    cleanupOldBackups: async (options) => (await starts.startCleanup(options)).result(),
    awaitTargetCleanups: async (result) => awaitTargetCleanups(context.client, result),
    holdBackup: async (backup, reason) => (await starts.startHold(backup, reason)).result(),
    releaseBackup: async (backup) => (await starts.startHold(backup, null)).result(),
    listBackups: async () => (await look({ ask: 'list' })).backups,
    readCatalog: ({ fromTarget } = {}) =>
      look({ ask: 'list', ...(fromTarget === undefined ? {} : { target: fromTarget }) }),
    showBackup: (backup) => look({ ask: 'show', backup }),
    async journalStatus() {
      const { journals = [] } = await look({ ask: 'journals' });
      return readJournalStatus(context.client, context.group, journals);
    },
  };
}

type Starts = Pick<
  BackupManager,
  | 'startBackup'
  | 'startRestore'
  | 'startRestoreToDirectory'
  | 'startSelection'
  | 'startUndo'
  | 'startVerify'
  | 'startCleanup'
  | 'startHold'
  | 'startRewrap'
  | 'startVerifyOldest'
>;

function createStarts(context: ManagerContext): Starts {
  const { client, group, requestedBy } = context;
  const workflowId = groupWorkflowId(group);
  const asked = { group, requestedBy };
  return {
    startBackup(kind, options = {}) {
      const { components = 'configured', label = {}, hold = null } = options;
      const input: BackupInput = { ...asked, kind, components, label, hold };
      const summary = `${kind} backup, asked for by ${requestedBy}`;
      return startOperation(client, { workflow: WORKFLOWS.backup, workflowId, kind, summary, input, ...asked });
    },
    startRestore(backup, options = {}) {
      const input: RestoreInput = { ...asked, backup, ...restoreRequest(options) };
      const { dryRun } = input;
      const summary = `${dryRun ? 'dry run of a restore' : 'restore'} of ${backup}, asked for by ${requestedBy}`;
      return startOperation(client, {
        workflow: WORKFLOWS.restore,
        workflowId,
        kind: 'restore',
        summary,
        input,
        ...asked,
      });
    },
    startRestoreToDirectory: async (backup, options) =>
      startOperation(client, { ...directoryOperation(backup, options, asked), ...asked }),
    startSelection: (backup, options) => startSelection(context, backup, options),
    startCleanup: (options) => startCleanup(context, options),
    startHold: (backup, reason) => startHold(context, backup, reason),
    startUndo(restoreId, { dryRun = false } = {}) {
      const input = { ...asked, restoreId, ...(dryRun && { dryRun }) };
      const summary = `${dryRun ? 'dry run of an undo' : 'undo'} of ${restoreId}, asked for by ${requestedBy}`;
      return startOperation(client, {
        workflow: WORKFLOWS.undoRestore,
        workflowId,
        kind: 'undo',
        summary,
        input,
        ...asked,
      });
    },
    startRewrap: () => startRewrap(context),
    startVerifyOldest: (budget) => startVerifyOldest(context, budget),
    startVerify(backup, { fromTarget } = {}) {
      const at = fromTarget === undefined ? '' : ` at ${fromTarget}`;
      const input = { ...asked, backup, ...(fromTarget === undefined ? {} : { target: fromTarget }) };
      const summary = `verification of ${backup}${at}, asked for by ${requestedBy}`;
      const id = besideWorkflowId(group, 'verify', fromTarget === undefined ? backup : `${fromTarget}/${backup}`);
      return startOperation(client, {
        workflow: WORKFLOWS.verify,
        workflowId: id,
        kind: 'verify',
        summary,
        input,
        ...asked,
      });
    },
  };
}

/** @throws LifeboatError USAGE_INVALID */
function directoryOperation(
  backup: string,
  options: DirectoryOptions,
  asked: Pick<ManagerContext, 'group' | 'requestedBy'>,
): Omit<StartOperation, 'group' | 'requestedBy'> {
  const { directory } = options;
  if (!isAbsolute(directory)) {
    throw new LifeboatError('USAGE_INVALID', `restore into ${JSON.stringify(directory)}: not an absolute path`);
  }
  const { components, dryRun, to = null, fromTarget } = restoreRequest(options);
  const from = fromTarget === undefined ? {} : { fromTarget };
  const input: DirectoryInput = { ...asked, backup, components, directory, dryRun, to, ...from };
  const what = dryRun ? 'dry run of a restore' : 'restore';
  return {
    workflow: WORKFLOWS.restoreToDirectory,
    workflowId: besideWorkflowId(asked.group, 'directory', directory),
    kind: 'directory',
    summary: `${what} of ${backup} into ${directory}, asked for by ${asked.requestedBy}`,
    input,
  };
}

function restoreRequest(options: RestoreOptions): Omit<RestoreInput, 'group' | 'requestedBy' | 'backup'> {
  const { components = 'stored', dropExisting = false, targetDatabase = null } = options;
  const { stopServices = false, dryRun = false, toTime, toLsn } = options;
  const to = toTime ? { time: toTime.toISOString() } : toLsn === undefined ? null : { lsn: toLsn };
  const { targetRedis, fromTarget } = options;
  const elsewhere = targetRedis === undefined ? {} : { targetRedis: targetRedisUrl(targetRedis) };
  const from = fromTarget === undefined ? {} : { fromTarget };
  return { components, dropExisting, targetDatabase, stopServices, dryRun, to, ...elsewhere, ...from };
}

const SUMMARIES = { list: 'list backups', journals: 'look at the journals' } as const;

type CatalogQuestion = { ask: 'list'; target?: string } | { ask: 'journals' } | { ask: 'show'; backup: string };

async function readCatalog(context: ManagerContext, question: CatalogQuestion): Promise<CatalogResult> {
  const summary = question.ask === 'show' ? `show ${question.backup}` : SUMMARIES[question.ask];
  return ask(context, { workflow: WORKFLOWS.catalog, beside: 'catalog', summary, question });
}
