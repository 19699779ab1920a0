import { existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import type { JournalEntry, JournalEpoch } from '../domain/journal.ts';
import { formatLsn, lsnOf, parseSegmentName } from '../domain/lsn.ts';
import type { Operation } from '../domain/operation.ts';
import { historyFileName } from '../domain/timeline.ts';
import type { ChainPart } from '../domain/wal-chain.ts';
import { coverSegment, indexWal, nextStored } from '../domain/wal-cover.ts';
import { syncFolder } from '../platform/files.ts';
import { assembleWal, type WalFile } from '../postgres/wal/files/assemble-wal.ts';
import type { RepositoryReader } from '../repository/repository.ts';
import { systemIdentifierBeside } from './wal-file-owner.ts';

/**
 * Brings a file for restore_command: whole, synced and under its name, or not at all. False where no journal has it.
 * @throws LifeboatError JOURNAL_GAP where the journal has some of it or goes on behind it, JOURNAL_DAMAGED and what stores throw
 */
export async function fetchWal(
  repository: Pick<RepositoryReader, 'journals'>,
  wanted: { readonly name: string; readonly destination: string },
  operation: Operation,
): Promise<boolean> {
  const { name, destination } = wanted;
  const { epochs, problems } = await repository.journals.catalog('postgres');
  const own = epochsOf(epochs, await systemIdentifierBeside(destination));
  const parts = own.flatMap((epoch) => epoch.entries.map((entry) => ({ epoch, entry })));
  const isInPlace = basename(destination) !== name && existsSync(join(dirname(destination), name));
  const search = { name, epochs: own, parts, isInPlace };
  const file = find(search, ({ epoch, entry }) => repository.journals.read(epoch, entry, operation));
  if (file !== undefined) {
    await write(file, destination);
    return true;
  }
  const [damage] = problems;
  // What is missing may be named by what cannot be read: a server that were told "not there" would take it for the end.
  if (damage !== undefined)
    throw new LifeboatError('JOURNAL_DAMAGED', damage.message, { details: { key: damage.key } });
  return false;
}

/** Of the cluster that asks; where that is not known, there must be one only. */
function epochsOf(epochs: readonly JournalEpoch[], system: string | undefined): readonly JournalEpoch[] {
  const histories = new Set(epochs.map(({ begin }) => begin.history));
  if (system === undefined && histories.size > 1) {
    const facts = `of ${histories.size} clusters, and no data directory says which`;
    throw new LifeboatError('JOURNAL_HISTORY_MISMATCH', `fetch wal: there are journals ${facts}`);
  }
  return system === undefined ? epochs : epochs.filter(({ begin }) => begin.history === system);
}

interface Search {
  readonly name: string;
  readonly epochs: readonly JournalEpoch[];
  readonly parts: readonly ChainPart[];
  /** The server has a file of that name itself, and takes it where the archive has none. */
  readonly isInPlace: boolean;
}

function find(search: Search, read: Parameters<typeof assembleWal>[1]): WalFile | undefined {
  const { name, epochs, parts } = search;
  const history = parts.findLast(({ entry }) => entry.kind === 'history' && historyFileName(entry.timeline) === name);
  if (history !== undefined) return { name, bytes: history.entry.plainBytes, read: () => read(history) };
  const segmentBytes = Number(epochs.at(-1)?.begin.attributes['walSegmentBytes'] ?? 0);
  const place = segmentBytes === 0 ? undefined : parseSegmentName(name, segmentBytes);
  if (place === undefined) return undefined;
  const { timeline, lsn: start } = place;
  const index = indexWal({ epochs, parts }, segmentBytes);
  const cover = coverSegment(index, { timeline, start });
  const isWhole = cover.end === start + BigInt(segmentBytes);
  const next = isWhole ? undefined : nextStored(index, { timeline, end: cover.end });
  // Before its beginning on a timeline a journal has no hole: a server asks there as well, and goes on with what it has.
  const begun = parts.some(
    ({ entry }) => isWal(entry) && entry.timeline === timeline && lsnOf(entry.from) <= cover.end,
  );
  if (next !== undefined && begun && !search.isInPlace) {
    const facts = `nothing between ${formatLsn(cover.end)} and ${formatLsn(next)} on timeline ${timeline}`;
    throw new LifeboatError('JOURNAL_GAP', `fetch ${name}: the journal has ${facts}`);
  }
  if (cover.end === start) return undefined;
  // The last one may be unfinished: zeros follow, which is where a server's own WAL would end.
  const segments = [{ timeline, from: formatLsn(start), to: formatLsn(cover.end), parts: cover.parts }];
  const reach = { timeline, at: formatLsn(cover.end), timeMs: cover.knownMs };
  return assembleWal({ found: true, timelines: [timeline], segmentBytes, segments, histories: [], reach }, read)[0];
}

const isWal = ({ kind }: JournalEntry): boolean => kind === 'segment' || kind === 'piece';

/** Its neighbour has one name, so that tries which were killed leave one file at most. */
async function write(file: WalFile, destination: string): Promise<void> {
  const temporary = `${destination}.lifeboat`;
  try {
    const target = await open(temporary, 'w', 0o600);
    try {
      for await (const chunk of file.read()) await target.writeFile(chunk);
      await target.sync();
    } finally {
      await target.close();
    }
    await rename(temporary, destination);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(destination));
}
