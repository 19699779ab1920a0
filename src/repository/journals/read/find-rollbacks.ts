import type { BackupRecord, Problem } from '../../../domain/backup.ts';
import type { JournalEpoch, JournalPosition } from '../../../domain/journal.ts';
import { isEpochRemoved } from '../../cleanup/epoch-removal.ts';
import type { RepositoryContext } from '../../context.ts';
import { listBackups } from '../../read/list-backups.ts';
import { epochName, type EpochPlace, isHistory, openChapterKey, placeOf } from '../journal-keys.ts';

/** That an epoch reached a position, said by somebody else than the epoch. */
interface Witness {
  readonly place: EpochPlace;
  readonly reached: JournalPosition & { readonly timeMs: number };
  readonly who: string;
}

/**
 * `open.json` is the one file that is genuine in every older state, too. An older one hides the end of its epoch; what goes on
 * from that end, the next epoch or an incremental backup, gives it away. The end of the newest epoch has no witness.
 */
export async function findRollbacks(context: RepositoryContext, epochs: readonly JournalEpoch[]): Promise<Problem[]> {
  const [kind] = epochs.map(({ begin }) => begin.kind);
  if (kind === undefined) return [];
  const backups = (await listBackups(context)).flatMap((backup) => backupWitness(kind, backup));
  const problems: Problem[] = [];
  for (const witness of [...epochs.flatMap(successorWitness), ...backups]) {
    const found = contradiction(witness, epochs);
    // An epoch that retention removed is missing in order: a signed record says so.
    if (found.length > 0 && !(await isEpochRemoved(context, witness.place))) problems.push(...found);
  }
  return problems;
}

function successorWitness({ begin }: JournalEpoch): Witness[] {
  const { kind, continues, from, epoch } = begin;
  if (continues === null) return [];
  return [{ place: { kind, ...continues }, reached: from, who: `epoch ${epoch}` }];
}

function backupWitness(kind: EpochPlace['kind'], { id, status, components }: BackupRecord): Witness[] {
  const range = components[kind]?.journal;
  if (status !== 'complete' || range === undefined || !isHistory(kind, range.history)) return [];
  const { history, epoch, timeline, to } = range;
  return [{ place: { kind, history, epoch }, reached: { timeline, at: to, timeMs: 0 }, who: id }];
}

function contradiction({ place, reached, who }: Witness, epochs: readonly JournalEpoch[]): Problem[] {
  const key = openChapterKey(place);
  const problem = (what: string): Problem[] => [
    { backupId: epochName(place), key, code: 'JOURNAL_DAMAGED', message: `${key}: ${what}` },
  ];
  const epoch = epochs.find(({ begin }) => begin.history === place.history && begin.epoch === place.epoch);
  if (epoch === undefined) return problem(`${who} goes on from this epoch, which is missing or damaged`);
  const { durable } = epoch;
  const isBehind =
    durable.timeline < reached.timeline ||
    (durable.timeline === reached.timeline && placeOf(place.kind, durable.at) < placeOf(place.kind, reached.at));
  if (!isBehind && durable.timeMs >= reached.timeMs) return [];
  return problem(`ends at ${durable.at}, but ${who} goes on from ${reached.at}: put back to an older state`);
}
