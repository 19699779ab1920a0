import { z } from 'zod';
import type { JournalEpoch, JournalKind } from '../../domain/journal.ts';
import type { Operation } from '../../domain/operation.ts';
import type { RepositoryContext, WriterContext } from '../context.ts';
import {
  type EpochPlace,
  epochName,
  epochPlaceOf,
  epochPrefix,
  journalBeginKey,
  journalKeyKey,
} from '../journals/journal-keys.ts';
import { DURABLE } from '../journals/journal-schema.ts';
import { listEpochs } from '../journals/list-epochs.ts';
import { REMOVALS_PREFIX } from '../layout.ts';
import { mapBounded } from '../map-bounded.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { removeAll } from './purge-backup.ts';
import { isRecordDamaged, readRecord, recordNames, type RecordPlace, writeRecord } from './signed-record.ts';
import { SCOPE } from './removal-record.ts';
import type { HiddenEpoch, RemovalReason } from './repository-cleanup.ts';

const READS_AT_ONCE = 16;

/** `removals/journals/<kind>/<history>/<epoch>.json`: that no backup needs an epoch any more. */
const EPOCH_REMOVAL = z.looseObject({
  version: z.literal(1),
  repositoryId: z.string(),
  group: z.string(),
  kind: z.enum(['postgres', 'redis']),
  history: z.string(),
  epoch: z.number().int().positive(),
  /** How far it went: what goes on from it is not from nowhere. */
  durable: DURABLE,
  removedAt: z.iso.datetime(),
  /** As of a backup. */
  scope: SCOPE,
});
type EpochRemoval = z.infer<typeof EPOCH_REMOVAL>;

export function epochRemovalKey(place: EpochPlace): string {
  return `${REMOVALS_PREFIX}${epochName(place)}.json`;
}

/** Names of epochs that the rules of this target alone removed. */
export async function epochsRemovedHere(context: RepositoryContext): Promise<ReadonlySet<string>> {
  const places = [...(await recordNames(context, REMOVALS_PREFIX))].flatMap((name) => epochPlaceOf(name) ?? []);
  const found = await mapBounded(places, READS_AT_ONCE, async (place) =>
    (await readTrusted(context, place))?.scope === 'target' ? [epochName(place)] : [],
  );
  return new Set(found.flat());
}

async function readTrusted(context: RepositoryContext, place: EpochPlace): Promise<EpochRemoval | undefined> {
  try {
    return await readRecord(context, placeOf(place));
  } catch (error) {
    if (isRecordDamaged(error)) return undefined;
    throw error;
  }
}

function placeOf({ kind, history, epoch }: EpochPlace): RecordPlace<EpochRemoval> {
  return {
    key: epochRemovalKey({ kind, history, epoch }),
    shape: EPOCH_REMOVAL,
    isOf: (record) => record.kind === kind && record.history === history && record.epoch === epoch,
  };
}

/** Whether an epoch was removed in order. A record that cannot be trusted removes nothing. */
export async function isEpochRemoved(context: RepositoryContext, place: EpochPlace): Promise<boolean> {
  return (await readTrusted(context, place)) !== undefined;
}

/** Places of epochs that were removed in order, of those given. */
export async function removedAmong(
  context: RepositoryContext,
  kind: JournalKind,
  places: readonly EpochPlace[],
): Promise<EpochPlace[]> {
  const recorded = await recordNames(context, REMOVALS_PREFIX + `journals/${kind}/`);
  const asked = places.filter((place) => recorded.has(epochName(place).slice(`journals/${kind}/`.length)));
  const removed = await mapBounded(asked, READS_AT_ONCE, async (place) =>
    (await isEpochRemoved(context, place)) ? [place] : [],
  );
  return removed.flat();
}

/** First half: no catalog shows it any more. Safe to repeat. */
export async function hideEpoch(
  context: WriterContext,
  { begin, durable }: Pick<JournalEpoch, 'begin' | 'durable'>,
  why: Omit<RemovalReason, 'reasons'>,
): Promise<void> {
  if (await isEpochRemoved(context, begin)) return;
  const { kind, history, epoch } = begin;
  const { id: repositoryId, group } = context;
  const home = { version: 1, repositoryId, group, kind, history, epoch } as const;
  await writeRecord(context, placeOf(begin), { ...home, durable: { ...durable }, ...why });
}

export async function listHiddenEpochs(context: RepositoryContext, kind: JournalKind): Promise<HiddenEpoch[]> {
  const removed = await removedAmong(context, kind, await listEpochs(context.store, kind));
  return mapBounded(removed, READS_AT_ONCE, async (place) => {
    const removal = await readRecord(context, placeOf(place));
    const head = await context.store.head(epochRemovalKey(place));
    if (removal === undefined || head === undefined) {
      throw new LifeboatError('INTERNAL', `removal of ${epochName(place)}: its record went away while it was read`);
    }
    return { ...place, hiddenMs: Math.max(Date.parse(removal.removedAt), head.modifiedAt.getTime()) };
  });
}

/** Second half: its objects. Safe to repeat. @throws LifeboatError BACKUP_NOT_REMOVED, RECORD_DAMAGED */
export async function purgeEpoch(context: RepositoryContext, place: EpochPlace, operation: Operation): Promise<number> {
  if ((await readRecord(context, placeOf(place))) === undefined) {
    throw new LifeboatError('BACKUP_NOT_REMOVED', `remove ${epochName(place)}: no record says that it was removed`);
  }
  const last = journalBeginKey(place);
  const bytes = await removeAll(context, epochPrefix(place), { last }, operation);
  await context.store.remove(journalKeyKey(place));
  await context.store.removeLeftovers(epochPrefix(place), 0);
  await context.store.remove(last);
  return bytes;
}
