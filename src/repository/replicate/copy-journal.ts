import type { JournalBegin, JournalChapter, JournalKind } from '../../domain/journal.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { RepositoryContext } from '../context.ts';
import {
  chapterKey,
  claimsPrefix,
  epochPrefix,
  type EpochPlace,
  journalBeginKey,
  journalKeyKey,
  openChapterKey,
} from '../journals/journal-keys.ts';
import { BEGIN } from '../journals/journal-schema.ts';
import { openDocument } from '../journals/signed-document.ts';
import { mapBounded } from '../map-bounded.ts';
import { readSmallObject } from '../small-object.ts';
import { copyObject, copySmall, putSmall } from './copy-object.ts';
import type { CopyMemory } from './copy-memory.ts';
import type { Copying } from './copying.ts';
import { chapterOf, putNewerChapter } from './put-newer-chapter.ts';

/** They are small: a store's latency is what there is to hide. */
const OBJECTS_AT_ONCE = 8;
const SEALED = /\/chapter-(\d{6})\.json$/;

export interface JournalToCopy {
  readonly kind: JournalKind;
  /** Lowest number first; listed before anything is copied: what an epoch goes on from has then reached that place already. */
  readonly places: readonly EpochPlace[];
  /** Of a run that goes on: what cannot change any more is not looked at again. */
  readonly memory?: CopyMemory;
}

/**
 * Copies the journal of one kind, as far as it is durable now, while it goes on.
 * @returns epochs that the target had nothing of, with what they begin
 * @throws LifeboatError JOURNAL_DAMAGED, OBJECT_* where the source is damaged, TARGET_COPY_WRONG, STORE_*
 */
export async function copyJournal(
  context: RepositoryContext,
  copying: Copying,
  { kind, places, memory }: JournalToCopy,
): Promise<JournalBegin[]> {
  for await (const { key } of copying.from.list(claimsPrefix(kind))) {
    if (memory?.isClaimed(key) !== true) await copySmall(copying, key);
    memory?.claimed(key);
  }
  const begun: JournalBegin[] = [];
  for (const place of places) {
    if (memory?.isFinished(place) === true) continue;
    const epoch = await copyEpoch(context, copying, { place, memory });
    if (epoch?.isNew === true) begun.push(epoch.begin);
    if (epoch !== undefined) memory?.copied(place, { isNewest: place === places.at(-1), begin: epoch.begin });
  }
  return begun;
}

/** Objects before the chapter that names them, sealed chapters in their order, the open one last. Undefined where it never began. */
async function copyEpoch(
  context: RepositoryContext,
  copying: Copying,
  { place, memory }: { readonly place: EpochPlace; readonly memory: CopyMemory | undefined },
): Promise<{ readonly begin: JournalBegin; readonly isNew: boolean } | undefined> {
  const key = journalBeginKey(place);
  const begin = await readSmallObject(copying.from, key);
  // A number that was taken by a writer which died before it began.
  if (begin === undefined) return undefined;
  const opened = openDocument<JournalBegin>(context, { key, bytes: begin, shape: BEGIN });
  const openBytes = await readSmallObject(copying.from, openChapterKey(place));
  const open = openBytes && chapterOf(context, openChapterKey(place), openBytes);
  const sealed = await sealedIn(copying.from, place);
  const there = new Set(await sealedIn(copying.to, place));
  const isNew = (await copying.to.head(key)) === undefined;
  await copySmall(copying, journalKeyKey(place));
  await putSmall(copying, key, begin);
  // Chapters that were sealed after `open` was read would make it an older state than they are.
  for (const sequence of sealed.filter((number) => open === undefined || number <= open.sequence)) {
    if (copying.check === 'size' && there.has(sequence)) continue;
    await copySealed(context, copying, chapterKey(place, sequence));
  }
  if (open !== undefined && openBytes !== undefined) {
    await copyEntries(
      copying,
      open.entries.filter((entry) => memory?.hasEntry(place, entry.key) !== true),
    );
    memory?.entries(
      place,
      open.entries.map((entry) => entry.key),
    );
    await putNewerChapter(context, copying, { key: openChapterKey(place), bytes: openBytes, chapter: open });
  }
  return { begin: opened, isNew };
}

async function copySealed(context: RepositoryContext, copying: Copying, key: string): Promise<void> {
  const bytes = await readSmallObject(copying.from, key);
  if (bytes === undefined) throw new LifeboatError('JOURNAL_DAMAGED', `${key}: missing`, { details: { key } });
  await copyEntries(copying, chapterOf(context, key, bytes).entries);
  await putSmall(copying, key, bytes);
}

async function copyEntries(copying: Copying, entries: JournalChapter['entries']): Promise<void> {
  await mapBounded(entries, OBJECTS_AT_ONCE, async (entry) => copyObject(copying, entry));
}

async function sealedIn(store: Copying['from'], place: EpochPlace): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { key } of store.list(`${epochPrefix(place)}chapter-`)) {
    const found = SEALED.exec(key);
    if (found !== null) numbers.push(Number(found[1]));
  }
  return numbers.toSorted((a, b) => a - b);
}
