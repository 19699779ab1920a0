import type { Problem } from '../../../domain/backup.ts';
import type { JournalBegin, JournalKind } from '../../../domain/journal.ts';
import { removedAmong } from '../../cleanup/epoch-removal.ts';
import type { RepositoryContext } from '../../context.ts';
import { mapBounded } from '../../map-bounded.ts';
import { readSmallObject, sha256Of } from '../../small-object.ts';
import { type ChapterCache, readChapters, type ReadEpoch } from './read-chapters.ts';
import { problemOf, requireBegin } from './journal-home.ts';
import { epochPrefix, type EpochPlace, journalBeginKey } from '../journal-keys.ts';
import { BEGIN } from '../journal-schema.ts';
import type { JournalCatalog } from '../journals.ts';
import { listEpochs } from '../list-epochs.ts';
import { damaged, openDocument } from '../signed-document.ts';

/** Epochs read at once: hides a store's latency. */
const READS_AT_ONCE = 8;

/** Every epoch of a kind, oldest first, and what is wrong; what is wrong is used for nothing. */
export async function readCatalog(
  context: RepositoryContext,
  kind: JournalKind,
  cache: ChapterCache,
): Promise<JournalCatalog> {
  const { epochs, problems } = await readEpochs(context, kind, cache);
  return { epochs: epochs.map(({ epoch }) => epoch), problems };
}

export interface ReadEpochs {
  readonly epochs: readonly ReadEpoch[];
  readonly problems: readonly Problem[];
  /** Removed by retention; their objects go later. */
  readonly removed: readonly EpochPlace[];
}

/** The catalog, with how many sealed chapters each epoch has. */
export async function readEpochs(
  context: RepositoryContext,
  kind: JournalKind,
  cache: ChapterCache,
): Promise<ReadEpochs> {
  const all = await listEpochs(context.store, kind);
  const removed = await removedAmong(context, kind, all);
  const places = all.filter((place) => !removed.includes(place));
  const read = await mapBounded(places, READS_AT_ONCE, (place) => readEpoch(context, place, cache));
  return {
    epochs: read.flatMap((found) => ('epoch' in found ? [found] : [])),
    problems: read.flatMap(({ problems }) => problems),
    removed,
  };
}

async function readEpoch(
  context: RepositoryContext,
  place: EpochPlace,
  cache: ChapterCache,
): Promise<ReadEpoch | Pick<ReadEpoch, 'problems'>> {
  const key = journalBeginKey(place);
  try {
    const bytes = await readSmallObject(context.store, key);
    // A writer that was killed while it made the very first file of an epoch left a folder at most.
    if (bytes === undefined && !(await holdsObjects(context, place))) return { problems: [] };
    if (bytes === undefined) throw damaged(key, 'missing, though the epoch has objects');
    const begin = openDocument<JournalBegin>(context, { key, bytes, shape: BEGIN });
    requireBegin(context, begin, { place, key });
    return await readChapters(context, { place, begin, beginSha256: sha256Of(bytes) }, cache);
  } catch (error) {
    return { problems: [problemOf(place, key, error)] };
  }
}

async function holdsObjects({ store }: RepositoryContext, place: EpochPlace): Promise<boolean> {
  for await (const _ of store.list(epochPrefix(place))) return true;
  return false;
}
