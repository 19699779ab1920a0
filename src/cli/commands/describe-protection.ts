import type { JournalStatus } from '../../client/journal-status.ts';
import type { BackupKind, BackupRecord } from '../../domain/backup.ts';
import type { RecoveryPointAges } from '../../domain/recovery-point-ages.ts';
import type { WindowView } from '../../domain/window-view.ts';
import type { Colors } from '../output.ts';
import { formatElapsed } from '../units.ts';
import { describeWindow } from './describe-window.ts';
import { describeJournal } from './journal-status.ts';

/** What could be restored now. */
export interface Protection {
  readonly backups: readonly BackupRecord[];
  readonly window: WindowView | null;
  readonly journals: readonly JournalStatus[];
}

export function lastOf(backups: readonly BackupRecord[], wanted: BackupKind): BackupRecord | null {
  return backups.find(({ kind, status }) => kind === wanted && status === 'complete') ?? null;
}

export function describeProtection(
  status: {
    readonly backups: number | null;
    readonly lastFull: BackupRecord | null;
    readonly lastIncremental: BackupRecord | null;
    readonly rpoMs: RecoveryPointAges | null;
    readonly window: WindowView | null;
    readonly journals: readonly JournalStatus[] | null;
  },
  colors: Colors,
): string[] {
  const { backups, lastFull, lastIncremental, rpoMs, window, journals } = status;
  if (backups === null) {
    return ['backups: not known, because no worker answers (`lifeboat rescue list` reads the repository itself)'];
  }
  return [
    `last full backup: ${describeLast(lastFull)}${lastFull === null ? '' : `, ${backups} in all`}`,
    `last incremental backup: ${describeLast(lastIncremental)}`,
    `would be lost now: ${(['postgres', 'redis'] as const).map((name) => `${name} ${describeAge(rpoMs?.[name])}`).join(', ')}`,
    ...(window === null ? [] : describeWindow(window)),
    ...(journals ?? []).flatMap((journal) => describeJournal(journal, colors)),
  ];
}

function describeLast(last: BackupRecord | null): string {
  return last === null ? 'none' : `${last.id}, ${formatElapsed(Date.now() - Date.parse(last.recoveryPoint.time))} ago`;
}

function describeAge(ageMs: number | null | undefined): string {
  return ageMs === null || ageMs === undefined ? 'all' : `the last ${formatElapsed(ageMs)}`;
}
