import { type BackupKind, type BackupRecord, type ComponentName, isTakenAside } from '../../domain/backup.ts';
import { newestRecoverable, type ReplayableJournal } from '../../domain/newest-recoverable.ts';
import type { WindowView } from '../../domain/window-view.ts';
import { known, knownAt, type Reading } from '../sample.ts';

const KINDS: readonly BackupKind[] = ['full', 'incremental'];
const COMPONENTS: readonly ComponentName[] = ['postgres', 'redis'];

export interface RepositoryFacts {
  /** Newest first. */
  readonly backups: readonly BackupRecord[];
  /** What is protected. */
  readonly components: readonly ComponentName[];
  readonly journals: readonly ReplayableJournal[];
  readonly window: Pick<WindowView, 'from' | 'to' | 'gaps'>;
  readonly storedBytes: { readonly backups: number; readonly journals: number };
}

/** What the repository holds, and what could be restored from it. */
export function measureBackups(facts: RepositoryFacts): Reading[] {
  const { backups, storedBytes } = facts;
  return [
    ...measureCounts(backups),
    ...KINDS.flatMap((kind) => measureLast(backups, kind)),
    ...measureRecovery(facts),
    ...measureVerification(backups.filter(({ status }) => status === 'complete')),
    ...Object.entries(storedBytes).flatMap(([holds, bytes]) =>
      known('lifeboat_storage_used_bytes', bytes, { store: 'repository', holds }),
    ),
  ];
}

/** Also those of which there is none: no backup is the first thing that somebody should hear of. */
function measureCounts(backups: readonly BackupRecord[]): Reading[] {
  return KINDS.flatMap((kind) =>
    (['complete', 'damaged'] as const).flatMap((status) => {
      const count = backups.filter((backup) => backup.kind === kind && backup.status === status).length;
      return known('lifeboat_backups', count, { kind, status });
    }),
  );
}

function measureLast(backups: readonly BackupRecord[], kind: BackupKind): Reading[] {
  const good = backups.filter((one) => one.kind === kind && one.status === 'complete' && !isTakenAside(one));
  const [newest] = good;
  const parts = COMPONENTS.flatMap((component) => {
    const last = good.find(({ components }) => components[component] !== undefined);
    const part = last?.components[component];
    if (last === undefined || part === undefined) return [];
    const labels = { kind, component };
    return [
      ...knownAt('lifeboat_last_backup_timestamp_seconds', last.recoveryPoint.time, labels),
      ...known('lifeboat_last_backup_bytes', part.bytes, labels),
      ...known('lifeboat_last_backup_stored_bytes', part.storedBytes, labels),
    ];
  });
  const took = newest === undefined ? null : newest.durationMs / 1_000;
  return [...parts, ...known('lifeboat_last_backup_duration_seconds', took, { kind })];
}

function measureRecovery({ backups, journals, window, components }: RepositoryFacts): Reading[] {
  const newest = newestRecoverable(backups, journals);
  const count = (component: ComponentName, isOpen: boolean): number =>
    window.gaps.filter((gap) => gap.component === component && (gap.to === null) === isOpen).length;
  return [
    ...components.flatMap((component) => {
      const pointMs = newest[component];
      return [
        ...known('lifeboat_recovery_point_timestamp_seconds', pointMs === null ? null : pointMs / 1_000, { component }),
        ...known('lifeboat_recovery_gaps', count(component, true), { component, state: 'open' }),
        ...known('lifeboat_recovery_gaps', count(component, false), { component, state: 'closed' }),
      ];
    }),
    ...knownAt('lifeboat_recovery_window_start_timestamp_seconds', window.from),
    ...knownAt('lifeboat_recovery_window_end_timestamp_seconds', window.to),
  ];
}

function measureVerification(complete: readonly BackupRecord[]): Reading[] {
  const readBack = complete.map(({ verifiedAt }) => verifiedAt).filter((at) => at !== null);
  const oldest = complete.map(({ verifiedAt, createdAt }) => verifiedAt ?? createdAt).toSorted()[0] ?? null;
  const last = readBack.toSorted().at(-1) ?? null;
  return [
    ...knownAt('lifeboat_verification_oldest_timestamp_seconds', oldest),
    ...knownAt('lifeboat_verification_last_timestamp_seconds', last),
    ...known('lifeboat_backups_unverified', complete.length - readBack.length),
  ];
}
