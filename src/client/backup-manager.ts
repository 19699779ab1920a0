import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
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
import { startOperation } from './operation.ts';
import type { StartedOperation } from './operation.ts';

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
}

/**
 * Backups and restores of one group. `start…` gives a running operation, the other methods wait for its end.
 * All reject with a LifeboatError; GROUP_BUSY when another operation holds the group.
 */
export interface BackupManager {
  startBackup(kind: BackupKind, options?: BackupOptions): Promise<StartedOperation<BackupResult>>;
  startRestore(backup: string, options?: RestoreOptions): Promise<StartedOperation<RestoreResult>>;
  startUndo(restoreId: string): Promise<StartedOperation<UndoRestoreResult>>;
  startVerify(backup: string): Promise<StartedOperation<VerifyResult>>;

  performFullBackup(options?: BackupOptions): Promise<BackupResult>;
  /** Without a journal that runs, a full backup is taken and `warnings` says so. */
  performIncrementalBackup(options?: BackupOptions): Promise<BackupResult>;
  restoreFromBackup(backupId: string, options?: RestoreOptions): Promise<RestoreResult>;
  undoRestore(restoreId: string): Promise<UndoRestoreResult>;
  verifyBackups(backup: string): Promise<VerifyResult>;
  /** Newest first. */
  listBackups(): Promise<readonly BackupRecord[]>;
  showBackup(backup: string): Promise<CatalogResult>;
}

export interface ManagerContext {
  readonly client: Client;
  readonly group: string;
  /** `user@host`, for people who look at the run. */
  readonly requestedBy: string;
}

export function createBackupManager(context: ManagerContext): BackupManager {
  const starts = createStarts(context);
  const ask = (question: { ask: 'list' } | { ask: 'show'; backup: string }): Promise<CatalogResult> =>
    readCatalog(context, question);
  return {
    ...starts,
    performFullBackup: async (options) => (await starts.startBackup('full', options)).result(),
    performIncrementalBackup: async (options) => (await starts.startBackup('incremental', options)).result(),
    restoreFromBackup: async (backupId, options) => (await starts.startRestore(backupId, options)).result(),
    undoRestore: async (restoreId) => (await starts.startUndo(restoreId)).result(),
    verifyBackups: async (backup) => (await starts.startVerify(backup)).result(),
    listBackups: async () => (await ask({ ask: 'list' })).backups,
    showBackup: (backup) => ask({ ask: 'show', backup }),
  };
}

type Starts = Pick<BackupManager, 'startBackup' | 'startRestore' | 'startUndo' | 'startVerify'>;

function createStarts({ client, group, requestedBy }: ManagerContext): Starts {
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
      const { components = 'stored', dropExisting = false, targetDatabase = null } = options;
      const { stopServices = false, dryRun = false } = options;
      const input: RestoreInput = { ...asked, backup, components, dropExisting, targetDatabase, stopServices, dryRun };
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
    startUndo(restoreId) {
      const input = { ...asked, restoreId };
      const summary = `undo of ${restoreId}, asked for by ${requestedBy}`;
      return startOperation(client, {
        workflow: WORKFLOWS.undoRestore,
        workflowId,
        kind: 'undo',
        summary,
        input,
        ...asked,
      });
    },
    startVerify(backup) {
      const input = { ...asked, backup };
      const summary = `verification of ${backup}, asked for by ${requestedBy}`;
      const id = besideWorkflowId(group, 'verify', backup);
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

async function readCatalog(
  { client, group, requestedBy }: ManagerContext,
  question: { ask: 'list' } | { ask: 'show'; backup: string },
): Promise<CatalogResult> {
  const started = await startOperation<CatalogResult>(client, {
    workflow: WORKFLOWS.catalog,
    workflowId: besideWorkflowId(group, 'catalog', randomUUID()),
    group,
    kind: 'catalog',
    summary: question.ask === 'show' ? `show ${question.backup}` : 'list backups',
    requestedBy,
    input: { ...question, group, requestedBy },
  });
  return started.result();
}
