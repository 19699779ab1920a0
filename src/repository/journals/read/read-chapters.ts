import type { Problem } from '../../../domain/backup.ts';
import type { JournalBegin, JournalChapter, JournalEpoch } from '../../../domain/journal.ts';
import type { RepositoryContext } from '../../context.ts';
import { readSmallObject, sha256Of } from '../../small-object.ts';
import { isArchive } from '../archive-mode.ts';
import { type ChapterSeat, problemOf, requireChapter } from './journal-home.ts';
import { chapterKey, epochPrefix, type EpochPlace, openChapterKey } from '../journal-keys.ts';
import { CHAPTER } from '../journal-schema.ts';
import { damaged, openDocument } from '../signed-document.ts';

/** Sealed chapters never change: what was read and checked once is kept, most of a catalog. */
export type ChapterCache = Map<string, { readonly chapter: JournalChapter; readonly sha256: string }>;
const CACHED_CHAPTERS = 4_000;

export interface ReadEpoch {
  readonly epoch: JournalEpoch;
  /** Sealed chapters are numbered up to here. */
  readonly chapters: number;
  readonly problems: readonly Problem[];
}

/** Looks again for a chapter that is not there: its writer may be between sealing it and beginning the next. */
const LOOKS = 3;

interface Reading {
  readonly place: EpochPlace;
  readonly cache: ChapterCache;
  readonly chapters: JournalChapter[];
  readonly problems: Problem[];
  /** The one that is to be read next, and the digest it must name; undefined behind one that could not be read. */
  sequence: number;
  previousSha256: string | undefined;
}

/**
 * All chapters that can be trusted. One that is missing or wrong is named and used for nothing; those behind it are still good:
 * each is signed, and that there is a hole before them shows in their positions.
 */
export async function readChapters(
  context: RepositoryContext,
  start: { readonly place: EpochPlace; readonly begin: JournalBegin; readonly beginSha256: string },
  cache: ChapterCache,
): Promise<ReadEpoch> {
  const { place, begin, beginSha256 } = start;
  const reading: Reading = { place, cache, chapters: [], problems: [], sequence: 1, previousSha256: beginSha256 };
  for (let looks = LOOKS; ;) {
    if (await readSealed(context, reading)) {
      looks = LOOKS;
      continue;
    }
    // Whoever archives single files seals a chapter for each: there is no open one.
    const open = isArchive(begin) ? undefined : await readOpen(context, reading);
    looks -= 1;
    if (open !== undefined && open.sequence > reading.sequence && looks > 0) continue;
    if (await skipMissing(context, reading, open?.sequence)) continue;
    finish(context, reading, open);
    break;
  }
  return { epoch: epochOf(begin, reading.chapters), chapters: reading.sequence - 1, problems: reading.problems };
}

function epochOf(begin: JournalBegin, chapters: readonly JournalChapter[]): JournalEpoch {
  const last = chapters.at(-1);
  return {
    begin,
    entries: chapters.flatMap(({ entries }) => entries),
    durable: last?.durable ?? begin.from,
    stream: last?.stream ?? null,
    closed: last?.closed ?? null,
  };
}

/** Takes the next sealed chapter; false where there is none. A damaged one is passed over, and named. */
async function readSealed(context: RepositoryContext, reading: Reading): Promise<boolean> {
  const { place, sequence, chapters, problems } = reading;
  const key = chapterKey(place, sequence);
  try {
    const sealed = await loadSealed(context, key, reading.cache);
    if (sealed === undefined) return false;
    requireChapter(context, sealed.chapter, seatOf(reading, key));
    chapters.push(sealed.chapter);
    reading.previousSha256 = sealed.sha256;
  } catch (error) {
    problems.push(problemOf(place, key, error));
    reading.previousSha256 = undefined;
  }
  reading.sequence += 1;
  return true;
}

async function loadSealed(
  context: RepositoryContext,
  key: string,
  cache: ChapterCache,
): Promise<{ readonly chapter: JournalChapter; readonly sha256: string } | undefined> {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const bytes = await readSmallObject(context.store, key);
  if (bytes === undefined) return undefined;
  const chapter = openDocument<JournalChapter>(context, { key, bytes, shape: CHAPTER });
  if (!chapter.sealed) throw damaged(key, 'not a sealed chapter');
  const read = { chapter, sha256: sha256Of(bytes) };
  if (cache.size >= CACHED_CHAPTERS) cache.clear();
  cache.set(key, read);
  return read;
}

/** `open.json` as it is now; undefined where it is missing or wrong, which is named once. */
async function readOpen(context: RepositoryContext, reading: Reading): Promise<JournalChapter | undefined> {
  const { place, problems } = reading;
  const key = openChapterKey(place);
  try {
    const bytes = await readSmallObject(context.store, key);
    // A writer that died between begin.json and its first commit has put nothing yet.
    if (bytes === undefined && !(await holdsMore(context, place))) return undefined;
    if (bytes === undefined) throw damaged(key, 'missing');
    return openDocument<JournalChapter>(context, { key, bytes, shape: CHAPTER });
  } catch (error) {
    const problem = problemOf(place, key, error);
    if (!problems.some((known) => known.key === key)) problems.push(problem);
    return undefined;
  }
}

async function holdsMore({ store }: RepositoryContext, place: EpochPlace): Promise<boolean> {
  let objects = 0;
  for await (const _ of store.list(epochPrefix(place))) if ((objects += 1) > 1) return true;
  return false;
}

/** Goes on behind sealed chapters that should be there and are not, naming them; false where none is missing. */
async function skipMissing(
  { store }: RepositoryContext,
  reading: Reading,
  openSequence: number | undefined,
): Promise<boolean> {
  const { place, sequence, problems } = reading;
  if (openSequence !== undefined && openSequence <= sequence) return false;
  let next = openSequence;
  for await (const { key } of store.list(`${epochPrefix(place)}chapter-`)) {
    const found = Number(/chapter-(\d{6})\.json$/.exec(key)?.[1]);
    if (found >= sequence) next = Math.min(next ?? found, found);
  }
  if (next === undefined || next <= sequence) return false;
  const key = chapterKey(place, sequence);
  const what = next === sequence + 1 ? 'missing' : `missing, and all up to chapter ${next - 1}`;
  problems.push(problemOf(place, key, damaged(key, what)));
  reading.sequence = next;
  reading.previousSha256 = undefined;
  return true;
}

function finish(context: RepositoryContext, reading: Reading, open: JournalChapter | undefined): void {
  const { place, chapters, problems, sequence } = reading;
  // A writer that died after it had sealed a chapter and before it began the next left the text of the sealed one.
  if (open === undefined || (open.sequence === sequence - 1 && sequence > 1)) return;
  const key = openChapterKey(place);
  try {
    if (open.sealed) throw damaged(key, 'a sealed chapter in the place of the open one');
    requireChapter(context, open, seatOf(reading, key));
    chapters.push(open);
  } catch (error) {
    problems.push(problemOf(place, key, error));
  }
}

function seatOf({ place, sequence, previousSha256 }: Reading, key: string): ChapterSeat {
  return { place, key, sequence, previousSha256 };
}
