import type { JournalDurable, JournalEntry, JournalEpoch, JournalGap } from '../../../domain/journal.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import { compareLsn } from '../../../domain/lsn.ts';
import type { Codec } from '../../codec.ts';
import type { WriterContext } from '../../context.ts';
import type { ArchivedFile, EntryFacts } from '../journals.ts';
import { endingOf, entryKey, epochName } from '../journal-keys.ts';
import { readCatalog } from '../read/read-catalog.ts';
import { readChapters } from '../read/read-chapters.ts';
import { openEpoch } from '../write/open-epoch.ts';
import { ARCHIVE_MODE } from '../archive-mode.ts';
import { addChapter, type ArchiveEpoch, archivesOf, isFull, newestArchive, readArchive } from './archive-epoch.ts';
import { storeOnce } from './store-once.ts';

/** Rivals for the next chapter; each try that is lost means that another file was kept. */
const TRIES = 50;

/**
 * Keeps one WAL file; when it resolves the file is durable and named by a signed chapter. The same file again is a success, another
 * one under its name is JOURNAL_SEGMENT_EXISTS. Several processes may do it at once.
 */
export async function archiveFile(
  context: WriterContext,
  file: ArchivedFile,
  { codec, signal }: { readonly codec: Codec; readonly signal: AbortSignal },
): Promise<'kept' | 'kept-before'> {
  let archive = (await holderOf(context, file)) ?? (await archiveFor(context, file, codec));
  const stored = await storeOnce(context, { begin: archive.begin, ...file }, signal);
  if (stored.foundThere && (await isNamed(context, archive, stored.entry))) return 'kept-before';
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const named = { entry: stored.entry, durable: laterOf(archive.durable, file.facts) };
    if (await addChapter(context, archive, named)) return 'kept';
    archive = await readArchive(context, archive.begin, archive.beginSha256);
    if (await isNamed(context, archive, stored.entry)) return 'kept-before';
  }
  throw new LifeboatError('JOURNAL_FENCED', `archive ${stored.entry.key}: ${TRIES} chapters were taken by others`);
}

/** The epoch in which a file of that name was kept before, whichever it was: there it is compared, and not kept twice. */
async function holderOf(context: WriterContext, file: ArchivedFile): Promise<ArchiveEpoch | undefined> {
  const { facts, history, segmentBytes } = file;
  for await (const archive of archivesOf(context, history)) {
    const key = entryKey(archive.begin, facts, { segmentBytes, extension: endingOf(archive.begin.codec) });
    if ((await context.store.head(key)) === undefined) continue;
    if (await isNamed(context, archive, { key })) return archive;
  }
  return undefined;
}

/** The epoch that the file goes into: the newest one, or a new one where that is full or a hole would be in it. */
async function archiveFor(context: WriterContext, file: ArchivedFile, codec: Codec): Promise<ArchiveEpoch> {
  const newest = await newestArchive(context, file.history);
  const { facts } = file;
  if (newest !== undefined && !isFull(newest)) {
    if (facts.kind === 'history' || compareLsn(file.at, newest.durable.at) <= 0) return newest;
  }
  const { epochs } = await readCatalog(context, 'postgres', new Map());
  const last = epochs.filter(({ begin }) => begin.history === file.history).at(-1);
  const joins = last !== undefined && compareLsn(file.at, last.durable.at) <= 0;
  // The epoch before was there at its own time; a later one would say that its end was taken away from it.
  const timeMs = joins ? Math.min(facts.fromMs, last.durable.timeMs) : facts.fromMs;
  const from = { timeline: facts.timeline, at: file.at, timeMs };
  const { begin } = await openEpoch(context, {
    kind: 'postgres',
    history: file.history,
    from,
    continues: joins ? { history: file.history, epoch: last.begin.epoch } : null,
    gap: last === undefined || joins ? null : gapBehind(last, from),
    attributes: { mode: ARCHIVE_MODE, walSegmentBytes: String(file.segmentBytes) },
    codec,
    startedAt: new Date().toISOString(),
  });
  const opened = await newestArchive(context, file.history);
  if (opened !== undefined && opened.begin.epoch >= begin.epoch) return opened;
  throw new LifeboatError('JOURNAL_DAMAGED', `${epochName(begin)}: gone a moment after it was begun`);
}

function gapBehind({ begin, durable }: JournalEpoch, to: JournalDurable): JournalGap {
  const message = `the server archived nothing between ${durable.at} and ${to.at}`;
  const { kind, history } = begin;
  return { kind, from: { ...durable, history }, to: { ...to, history }, code: 'JOURNAL_GAP', message };
}

/** A file that comes late, or again, moves nothing. */
function laterOf(durable: JournalDurable, { kind, timeline, to, toMs }: EntryFacts): JournalDurable {
  if (kind === 'history' || compareLsn(to, durable.at) <= 0) return durable;
  return { timeline, at: to, timeMs: Math.max(toMs, durable.timeMs) };
}

async function isNamed(
  context: WriterContext,
  archive: ArchiveEpoch,
  { key }: Pick<JournalEntry, 'key'>,
): Promise<boolean> {
  const { begin, beginSha256 } = archive;
  const { epoch, problems } = await readChapters(context, { place: begin, begin, beginSha256 }, new Map());
  if (epoch.entries.some((entry) => entry.key === key)) return true;
  // What cannot be read may name it: to name it twice would hide the damage.
  const [first] = problems;
  if (first !== undefined) throw new LifeboatError('JOURNAL_DAMAGED', first.message, { details: { key: first.key } });
  return false;
}
