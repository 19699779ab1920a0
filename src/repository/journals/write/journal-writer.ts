import type { JournalBegin, JournalEntry } from '../../../domain/journal.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import type { WriterContext } from '../../context.ts';
import type { ObjectCodec } from '../../objects/object-writer.ts';
import { type ChapterState, createChapterWriter } from './chapter-writer.ts';
import { createEntryStore, type StoredEntry } from './entry-store.ts';
import { claimKey, epochName } from '../journal-keys.ts';
import type { JournalWriter } from '../journals.ts';

export interface EpochWriting {
  readonly begin: JournalBegin;
  /** Bytes of begin.json as stored: the first chapter names their digest. */
  readonly beginBytes: Buffer;
  readonly codec: ObjectCodec;
}

/** A call of `put`, in the order of the calls. */
interface Seat {
  readonly storing: Promise<StoredEntry>;
  stored: boolean;
}

/** See JournalWriter. One process has it; another that begins a newer epoch fences it. */
export function createJournalWriter(context: WriterContext, writing: EpochWriting): JournalWriter {
  const { begin, beginBytes, codec } = writing;
  const storeEntry = createEntryStore(context.store, begin, codec);
  const chapters = createChapterWriter(context, begin, beginBytes);
  const seats: Seat[] = [];
  let last: ChapterState = { durable: begin.from };
  /** Commits go one after the other: each writes the same file. */
  let turn: Promise<unknown> = Promise.resolve();

  const commit = async (state: ChapterState): Promise<void> => {
    if (last.closed !== undefined) throw new LifeboatError('INTERNAL', `${epochName(begin)}: written to after its end`);
    await chapters.write(await takeStored(seats), state);
    last = state;
    // Asked behind the write: where this resolves, whoever takes over later sees what was named.
    await Promise.all([requireNewest(context, begin), requireOwnClaim(context, begin)]);
  };
  const inTurn = async (work: () => Promise<void>): Promise<void> => {
    const mine = turn.then(work);
    // A failure is for its caller; the next one has its own turn all the same.
    turn = mine.catch(() => undefined);
    return mine;
  };
  return {
    epoch: begin.epoch,
    begin,
    async put(facts, bytes, signal) {
      const seat: Seat = { storing: storeEntry(facts, bytes, signal), stored: false };
      seats.push(seat);
      const { entry } = await seat.storing;
      seat.stored = true;
      return entry;
    },
    commit: async (durable, stream) => inTurn(() => commit({ durable, stream })),
    close: async (reason) => inTurn(() => commit({ ...last, closed: reason })),
  };
}

/** Those that have resolved, and what was called before them: a list in another order than the calls would be a lie later. */
async function takeStored(seats: Seat[]): Promise<JournalEntry[]> {
  const due = seats.splice(0, seats.findLastIndex(({ stored }) => stored) + 1);
  const settled = await Promise.allSettled(due.map(({ storing }) => storing));
  return settled.flatMap((seat) => (seat.status === 'fulfilled' && !seat.value.again ? [seat.value.entry] : []));
}

/**
 * Whoever begins an epoch fences all older ones: what they still write is never confirmed to a server. Numbers are taken one
 * after the other and over all histories, so that one look at the next number is enough.
 */
async function requireNewest({ store }: WriterContext, begin: JournalBegin): Promise<void> {
  const next = begin.epoch + 1;
  if ((await store.head(claimKey(begin.kind, next))) === undefined) return;
  const message = `${epochName(begin)}: epoch ${next} was begun by another writer`;
  throw new LifeboatError('JOURNAL_FENCED', message, { details: { epoch: begin.epoch, next } });
}

/** A store that is away may leave an empty place behind that takes all that is written; nothing in it is durable. */
async function requireOwnClaim({ store }: WriterContext, begin: JournalBegin): Promise<void> {
  const key = claimKey(begin.kind, begin.epoch);
  if ((await store.head(key)) !== undefined) return;
  throw new LifeboatError('REPOSITORY_MISSING', `commit ${epochName(begin)}: ${key} is not in the store any more`, {
    details: { key },
    hint: 'was the volume of the store unmounted, or replaced? nothing is confirmed to the server until it is back',
  });
}
