import type { JournalChapter, JournalKind } from '../../domain/journal.ts';
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
import { CHAPTER } from '../journals/journal-schema.ts';
import { listEpochs } from '../journals/list-epochs.ts';
import { openDocument } from '../journals/signed-document.ts';
import { mapBounded } from '../map-bounded.ts';
import { readSmallObject } from '../small-object.ts';
import { copyObject, copySmall, putSmall } from './copy-object.ts';
import type { Copying } from './copying.ts';

/** They are small: a store's latency is what there is to hide. */
const OBJECTS_AT_ONCE = 8;
const SEALED = /\/chapter-(\d{6})\.json$/;

/**
 * Copies the journal of one kind, as far as it is durable now, while it goes on. The epochs are listed first: what an epoch goes on
 * from has then reached that place already, and is copied at least so far.
 * @throws LifeboatError JOURNAL_DAMAGED, OBJECT_* where the source is damaged, TARGET_COPY_WRONG, STORE_*
 */
export async function copyJournal(context: RepositoryContext, copying: Copying, kind: JournalKind): Promise<void> {
  const places = await listEpochs(copying.from, kind);
  for await (const { key } of copying.from.list(claimsPrefix(kind))) await copySmall(copying, key);
  for (const place of places) await copyEpoch(context, copying, place);
}

/** Objects before the chapter that names them, sealed chapters in their order, the open one last. */
async function copyEpoch(context: RepositoryContext, copying: Copying, place: EpochPlace): Promise<void> {
  const begin = await readSmallObject(copying.from, journalBeginKey(place));
  // A number that was taken by a writer which died before it began.
  if (begin === undefined) return;
  const openBytes = await readSmallObject(copying.from, openChapterKey(place));
  const open = openBytes && chapterOf(context, openChapterKey(place), openBytes);
  const sealed = await sealedIn(copying.from, place);
  const there = new Set(await sealedIn(copying.to, place));
  await copySmall(copying, journalKeyKey(place));
  await putSmall(copying, journalBeginKey(place), begin);
  // Chapters that were sealed after `open` was read would make it an older state than they are.
  for (const sequence of sealed.filter((number) => open === undefined || number <= open.sequence)) {
    if (copying.check === 'size' && there.has(sequence)) continue;
    await copySealed(context, copying, chapterKey(place, sequence));
  }
  if (open === undefined || openBytes === undefined) return;
  await copyEntries(copying, open);
  if (await isNewer(context, copying, { place, open })) await putSmall(copying, openChapterKey(place), openBytes);
}

async function copySealed(context: RepositoryContext, copying: Copying, key: string): Promise<void> {
  const bytes = await readSmallObject(copying.from, key);
  if (bytes === undefined) throw new LifeboatError('JOURNAL_DAMAGED', `${key}: missing`, { details: { key } });
  await copyEntries(copying, chapterOf(context, key, bytes));
  await putSmall(copying, key, bytes);
}

async function copyEntries(copying: Copying, { entries }: JournalChapter): Promise<void> {
  await mapBounded(entries, OBJECTS_AT_ONCE, async (entry) => copyObject(copying, entry));
}

/** Another run may have brought a newer one meanwhile: the end of a journal never goes back. */
async function isNewer(
  context: RepositoryContext,
  { to }: Copying,
  { place, open }: { readonly place: EpochPlace; readonly open: JournalChapter },
): Promise<boolean> {
  const key = openChapterKey(place);
  const bytes = await readSmallObject(to, key);
  if (bytes === undefined) return true;
  try {
    const present = chapterOf(context, key, bytes);
    if (present.sequence !== open.sequence) return present.sequence < open.sequence;
    return present.entries.length <= open.entries.length && present.durable.timeMs <= open.durable.timeMs;
  } catch (error) {
    // What cannot be trusted there is written over.
    if (error instanceof LifeboatError && error.code === 'JOURNAL_DAMAGED') return true;
    throw error;
  }
}

function chapterOf(context: RepositoryContext, key: string, bytes: Buffer): JournalChapter {
  return openDocument<JournalChapter>(context, { key, bytes, shape: CHAPTER });
}

async function sealedIn(store: Copying['from'], place: EpochPlace): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { key } of store.list(`${epochPrefix(place)}chapter-`)) {
    const found = SEALED.exec(key);
    if (found !== null) numbers.push(Number(found[1]));
  }
  return numbers.toSorted((a, b) => a - b);
}
