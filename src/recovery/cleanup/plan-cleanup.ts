import type { BackupRecord, ComponentName, Manifest } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { JournalEpoch, JournalKind } from '../../domain/journal.ts';
import type { Operation } from '../../domain/operation.ts';
import { recoveryWindow, type RecoveryWindow } from '../../domain/recovery-window.ts';
import { planRetention } from '../../domain/retention/plan-retention.ts';
import type { RetentionDecision, RetentionRules } from '../../domain/retention/retention-rules.ts';
import { unneededEpochs } from '../../domain/retention/unneeded-epochs.ts';
import type { Age, Unreferenced } from '../../repository/cleanup/repository-cleanup.ts';
import type { Repository } from '../../repository/repository.ts';
import { type RecoveryCatalog, readRecoveryCatalog } from '../read-catalog.ts';
import { undoUntil } from './restore-expiry.ts';

const KINDS: readonly JournalKind[] = ['postgres', 'redis'];
/** What was begun and not published is of a run that died, when nothing was written to it for so long. */
const ABANDONED_MS = 86_400_000;

export interface CleanupRules {
  readonly retention: RetentionRules;
  /** Between the two halves of a removal, milliseconds. */
  readonly graceMs: number;
}

/** Something that was hidden, and when its objects go. */
export interface Due<T> {
  readonly what: T;
  readonly dueMs: number;
  readonly isDue: boolean;
}

export type HiddenThing =
  | { readonly backupId: string }
  | { readonly kind: JournalKind; readonly history: string; readonly epoch: number };

export interface CleanupFindings {
  /** Newest first. */
  readonly decisions: readonly RetentionDecision[];
  readonly epochs: readonly JournalEpoch[];
  readonly hidden: readonly Due<HiddenThing>[];
  readonly unreferenced: Unreferenced;
  readonly windowBefore: RecoveryWindow;
  readonly windowAfter: RecoveryWindow;
  readonly catalog: RecoveryCatalog;
}

export interface CleanupQuestion {
  readonly rules: CleanupRules;
  readonly nowMs: number;
  readonly components: readonly ComponentName[];
  /** Damaged backups go whatever their age. */
  readonly includeDamaged?: boolean;
  /** At a target: decides in the place of the rules alone. */
  readonly decide?: typeof planRetention;
  /** At a target: what is still to be copied there, and needs its journals. */
  readonly coming?: readonly BackupRecord[];
}

/** What retention keeps and what would go, as the repository is now. Changes nothing. */
export async function findCleanup(
  repository: Repository,
  asked: CleanupQuestion,
  operation: Operation,
): Promise<CleanupFindings> {
  const { rules, nowMs, components, decide = planRetention, coming = [], includeDamaged = false } = asked;
  const catalog = await readRecoveryCatalog(repository, components, operation);
  const damaged = catalog.backups.filter(({ status }) => status === 'damaged').map(({ id }) => id);
  const decisions = decide(catalog.backups, rules.retention, {
    nowMs,
    undoUntilMs: undoUntil(await repository.cleanup.restores()),
    provenDamaged: await repository.cleanup.provenDamaged(damaged),
    includeDamaged,
  });
  const gone = new Set(decisions.filter(({ keep }) => !keep).map(({ id }) => id));
  const kept = catalog.backups.filter(({ id }) => !gone.has(id));
  const hidden = await findHidden(repository, rules.graceMs, nowMs);
  const epochs = await findEpochs(repository, catalog, { hidden, coming });
  const without = (own: readonly JournalEpoch[]): JournalEpoch[] => own.filter((epoch) => !epochs.includes(epoch));
  const after = { ...catalog, backups: kept, postgres: without(catalog.postgres), redis: without(catalog.redis) };
  return {
    decisions,
    epochs,
    hidden,
    unreferenced: await repository.cleanup.findUnreferenced(abandonedAge(nowMs, rules, coming), operation),
    windowBefore: recoveryWindow(catalog),
    windowAfter: recoveryWindow(after),
    catalog,
  };
}

/** When what was begun is abandoned: never what is still being copied. */
export function abandonedAge(
  nowMs: number,
  { graceMs }: CleanupRules,
  coming: readonly Pick<BackupRecord, 'id'>[] = [],
): Age {
  return { nowMs, olderThanMs: Math.max(graceMs, ABANDONED_MS), except: new Set(coming.map(({ id }) => id)) };
}

async function findHidden({ cleanup }: Repository, graceMs: number, nowMs: number): Promise<Due<HiddenThing>[]> {
  const backups = (await cleanup.hiddenBackups()).map(({ backupId, hiddenMs }) => ({ what: { backupId }, hiddenMs }));
  const epochs = await Promise.all(KINDS.map(async (kind) => cleanup.hiddenEpochs(kind)));
  const all = [...backups, ...epochs.flat().map(({ hiddenMs, ...what }) => ({ what, hiddenMs }))];
  return all.map(({ what, hiddenMs }) => {
    const dueMs = hiddenMs + graceMs;
    return { what, dueMs, isDue: nowMs >= dueMs };
  });
}

/** Epochs that none of the backups that are still there is replayed from: a hidden one can be brought back until its objects go. */
async function findEpochs(
  repository: Repository,
  catalog: RecoveryCatalog,
  { hidden, coming }: { readonly hidden: readonly Due<HiddenThing>[]; readonly coming: readonly BackupRecord[] },
): Promise<JournalEpoch[]> {
  const staying: Pick<BackupRecord, 'components'>[] = [...catalog.backups, ...coming];
  for (const { what } of hidden) {
    if (!('backupId' in what)) continue;
    const manifest = await loadHidden(repository, what.backupId);
    if (manifest === 'damaged') return [];
    if (manifest !== undefined) staying.push(manifest);
  }
  // Of one that cannot be read nobody knows what it is replayed from.
  if (catalog.backups.some(({ status }) => status === 'damaged')) return [];
  return KINDS.flatMap((kind) => unneededEpochs(kind, catalog[kind], staying));
}

/**
 * Undefined where its objects have begun to go: it cannot be brought back any more, whatever the clock says now. `damaged` where it was removed
 * as such, and its objects are still there.
 */
export async function loadHidden(
  repository: Pick<Repository, 'load'>,
  backupId: string,
): Promise<Manifest | 'damaged' | undefined> {
  try {
    return await repository.load(backupId);
  } catch (error) {
    if (error instanceof LifeboatError && error.code === 'BACKUP_NOT_FOUND') return undefined;
    if (error instanceof LifeboatError && error.code.startsWith('MANIFEST_')) return 'damaged';
    throw error;
  }
}
