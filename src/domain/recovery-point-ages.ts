import type { BackupRecord, ComponentName } from './backup.ts';
import type { JournalKind } from './journal.ts';

/** The age of what would be lost with the server, milliseconds; null where nothing of a component could be restored. */
export type RecoveryPointAges = Readonly<Record<ComponentName, number | null>>;

/** What of a journal the age hangs on. */
export interface JournalEnd {
  readonly kind: JournalKind;
  readonly durable: { readonly time: string } | null;
  readonly gaps: readonly { readonly to: string | null }[];
  readonly problems: readonly unknown[];
}

/** What is durable in a journal that can be replayed counts, else the newest backup. */
export function recoveryPointAges(
  backups: readonly BackupRecord[],
  journals: readonly JournalEnd[],
  nowMs: number,
): RecoveryPointAges {
  const ageOf = (name: ComponentName): number | null => {
    const points = backups
      .filter(({ status, components }) => status === 'complete' && components[name] !== undefined)
      .map(({ recoveryPoint }) => Date.parse(recoveryPoint.time));
    if (points.length === 0) return null;
    const journal = journals.find(({ kind }) => kind === name);
    const replayable = journal?.gaps.every(({ to }) => to !== null) === true && journal.problems.length === 0;
    const durable = replayable && journal?.durable ? [Date.parse(journal.durable.time)] : [];
    return Math.max(0, nowMs - Math.max(...points, ...durable));
  };
  return { postgres: ageOf('postgres'), redis: ageOf('redis') };
}
