import type { BackupRecord, ComponentName } from './backup.ts';

/** The age of what would be lost with the server, milliseconds; null where nothing of a component could be restored. */
export type RecoveryPointAges = Readonly<Partial<Record<ComponentName, number | null>>>;

/** A journal that can be replayed when it has no open gap and no damage. */
export interface AgedJournal {
  readonly kind: ComponentName;
  readonly gaps: readonly { readonly to: string | null }[];
  readonly problems: readonly unknown[];
  readonly durable: { readonly time: string } | null;
}

/** What is durable in a journal that can be replayed counts, else the newest backup. */
export function recoveryPointAges(
  backups: readonly BackupRecord[],
  journals: readonly AgedJournal[],
  nowMs: number,
): Record<ComponentName, number | null> {
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
