import type { JournalBegin, JournalChapter, JournalDurable, JournalEntry } from '../../../domain/journal.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import type { RepositoryContext, WriterContext } from '../../context.ts';
import { readSmallObject, sha256Of } from '../../small-object.ts';
import { chapterKey, type EpochPlace, epochName, epochPrefix, journalBeginKey } from '../journal-keys.ts';
import { isArchive } from '../archive-mode.ts';
import { BEGIN, CHAPTER } from '../journal-schema.ts';
import { listEpochs } from '../list-epochs.ts';
import { requireBegin, requireChapter } from '../read/journal-home.ts';
import { damaged, openDocument, signDocument } from '../signed-document.ts';

/** Every chapter is one small read of a catalog, so an epoch is not added to for ever. */
const CHAPTERS_MAX = 1_024;
/** How many epochs are looked at for one to add to; behind more than these a new one is begun. */
const EPOCHS_LOOKED_AT = 64;

/** An epoch without `open.json`: each addition seals a chapter of its own, so that no two processes ever write the same file. */
export interface ArchiveEpoch {
  readonly begin: JournalBegin;
  readonly beginSha256: string;
  /** Number and digest of what the next chapter follows; 0 and that of `begin.json` before the first. */
  readonly sequence: number;
  readonly sha256: string;
  readonly durable: JournalDurable;
}

export function isFull({ sequence }: ArchiveEpoch): boolean {
  return sequence >= CHAPTERS_MAX;
}

/** The newest epoch of a history that files are archived into; undefined before the first. */
export async function newestArchive(context: RepositoryContext, history: string): Promise<ArchiveEpoch | undefined> {
  for await (const archive of archivesOf(context, history)) return archive;
  return undefined;
}

/** Newest first. */
export async function* archivesOf(context: RepositoryContext, history: string): AsyncGenerator<ArchiveEpoch> {
  const places = (await listEpochs(context.store, 'postgres')).filter((place) => place.history === history);
  for (const place of places.toReversed().slice(0, EPOCHS_LOOKED_AT)) {
    const key = journalBeginKey(place);
    const bytes = await readSmallObject(context.store, key);
    if (bytes === undefined) continue;
    const begin = openDocument<JournalBegin>(context, { key, bytes, shape: BEGIN });
    requireBegin(context, begin, { place, key });
    if (isArchive(begin)) yield await readArchive(context, begin, sha256Of(bytes));
  }
}

/** How far an archive epoch goes. @throws LifeboatError JOURNAL_DAMAGED */
export async function readArchive(
  context: RepositoryContext,
  begin: JournalBegin,
  beginSha256: string,
): Promise<ArchiveEpoch> {
  const sequence = await newestChapter(context, begin);
  if (sequence === 0) return { begin, beginSha256, sequence, sha256: beginSha256, durable: begin.from };
  const key = chapterKey(begin, sequence);
  const bytes = await readSmallObject(context.store, key);
  if (bytes === undefined) throw damaged(key, 'missing');
  const chapter = openDocument<JournalChapter>(context, { key, bytes, shape: CHAPTER });
  requireChapter(context, chapter, { place: begin, key, sequence, previousSha256: undefined });
  return { begin, beginSha256, sequence, sha256: sha256Of(bytes), durable: chapter.durable };
}

async function newestChapter({ store }: RepositoryContext, place: EpochPlace): Promise<number> {
  let newest = 0;
  for await (const { key } of store.list(`${epochPrefix(place)}chapter-`)) {
    newest = Math.max(newest, Number(/chapter-(\d{6})\.json$/.exec(key)?.[1] ?? 0));
  }
  return newest;
}

/** Names an entry. False where another process has added a chapter since: the epoch is to be read again. */
export async function addChapter(
  context: WriterContext,
  { begin, sequence, sha256 }: ArchiveEpoch,
  named: { readonly entry: JournalEntry; readonly durable: JournalDurable },
): Promise<boolean> {
  const { version, repositoryId, group, kind, history, epoch } = begin;
  const chapter: JournalChapter = {
    version,
    repositoryId,
    group,
    kind,
    history,
    epoch,
    sequence: sequence + 1,
    previousSha256: sha256,
    sealed: true,
    entries: [named.entry],
    durable: named.durable,
  };
  const bytes = signDocument(context.signer, chapter, `journal:${epochName(begin)}\tchapter:${sequence + 1}`);
  try {
    await context.store.put(chapterKey(begin, sequence + 1), bytes, { ifNoneMatch: true });
    return true;
  } catch (error) {
    if (error instanceof LifeboatError && error.code === 'STORE_KEY_EXISTS') return false;
    throw error;
  }
}
