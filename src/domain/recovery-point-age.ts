import type { BackupRecord, ComponentName } from './backup.ts';
import { newestRecoverable, type ReplayableJournal } from './newest-recoverable.ts';

/** The age of what would be lost with the server, milliseconds; null where nothing of a component could be restored. */
export type RecoveryPointAges = Readonly<Partial<Record<ComponentName, number | null>>>;

/** See newestRecoverable. */
export function recoveryPointAges(
  backups: readonly BackupRecord[],
  journals: readonly ReplayableJournal[],
  nowMs: number,
): Record<ComponentName, number | null> {
  const newest = newestRecoverable(backups, journals);
  const ageOf = (pointMs: number | null): number | null => (pointMs === null ? null : Math.max(0, nowMs - pointMs));
  return { postgres: ageOf(newest.postgres), redis: ageOf(newest.redis) };
}
