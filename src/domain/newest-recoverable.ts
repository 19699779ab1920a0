import type { BackupRecord, ComponentName } from './backup.ts';

/** What of a journal says how far it can be replayed. */
export interface ReplayableJournal {
  readonly kind: ComponentName;
  /** Null where nothing is durable. */
  readonly durable: { readonly time: string } | null;
  readonly gaps: readonly { readonly to: string | null }[];
  readonly problems: readonly unknown[];
}

/**
 * The newest instant (ms since 1970) that could be restored if the servers were lost now; null where nothing of a component could be. What is
 * durable in a journal that can be replayed counts, else the newest backup.
 */
export function newestRecoverable(
  backups: readonly Pick<BackupRecord, 'status' | 'components' | 'recoveryPoint'>[],
  journals: readonly ReplayableJournal[],
): Readonly<Record<ComponentName, number | null>> {
  const newestOf = (name: ComponentName): number | null => {
    const points = backups
      .filter(({ status, components }) => status === 'complete' && components[name] !== undefined)
      .map(({ recoveryPoint }) => Date.parse(recoveryPoint.time));
    if (points.length === 0) return null;
    const journal = journals.find(({ kind }) => kind === name);
    const isReplayable = journal?.gaps.every(({ to }) => to !== null) === true && journal.problems.length === 0;
    const durable = isReplayable && journal.durable ? [Date.parse(journal.durable.time)] : [];
    // Not as arguments: a repository may list more backups than a call takes.
    return [...points, ...durable].reduce((newest, point) => Math.max(newest, point));
  };
  return { postgres: newestOf('postgres'), redis: newestOf('redis') };
}
