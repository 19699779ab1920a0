import { createHash } from 'node:crypto';
import { LifeboatError } from '../../domain/errors.ts';
import type { JournalEpoch } from '../../domain/journal.ts';
import { formatLsn, lsnOf, segmentStart } from '../../domain/lsn.ts';
import type { Operation } from '../../domain/operation.ts';
import { journalChains, type ChainPart } from '../../domain/wal-chain.ts';
import type { KnownPast, ReceiveWal } from '../../postgres/wal/wal.ts';
import type { Dependencies } from '../dependencies.ts';

type Past = Pick<ReceiveWal['expect'], 'past' | 'historyFile'>;

/**
 * What a server must have behind it to be the one whose WAL this epoch holds: the last bytes of the unfinished segment, and the history
 * file of its timeline. Nothing where the journal ends on the border of a segment of timeline 1.
 */
export async function knownPast(
  deps: Dependencies,
  last: JournalEpoch,
  segmentBytes: number,
  operation: Operation,
): Promise<Past> {
  const { journals } = await deps.repository();
  const { epochs } = await journals.catalog('postgres');
  const { timeline, at } = last.durable;
  const chain = journalChains(epochs, last.begin.history).find((one) =>
    one.epochs.some(({ begin }) => begin.epoch === last.begin.epoch),
  );
  const own = (chain?.parts ?? []).filter(({ entry }) => entry.timeline === timeline);
  const read = async (part: ChainPart, skip = 0): Promise<Hashed | undefined> =>
    orUndefined(async () => hashed(journals.read(part.epoch, part.entry, operation), skip));

  const file = own.findLast(({ entry }) => entry.kind === 'history');
  const historyFile = file && (await read(file))?.sha256;
  const piece = own.findLast(({ entry }) => entry.kind !== 'history' && entry.to === at);
  const past = piece && (await pastIn(piece, segmentBytes, read));
  return { ...(historyFile && { historyFile }), ...(past && { past }) };
}

async function pastIn(
  piece: ChainPart,
  segmentBytes: number,
  read: (part: ChainPart, skip: number) => Promise<Hashed | undefined>,
): Promise<KnownPast | undefined> {
  const [from, to] = [lsnOf(piece.entry.from), lsnOf(piece.entry.to)];
  const border = segmentStart(to, segmentBytes);
  const start = from > border ? from : border;
  if (start >= to) return undefined;
  const found = await read(piece, Number(start - from));
  return found && { from: formatLsn(start), to: piece.entry.to, sha256: found.sha256 };
}

interface Hashed {
  readonly sha256: string;
}

async function hashed(source: AsyncIterable<Uint8Array>, skip: number): Promise<Hashed> {
  const hash = createHash('sha256');
  let left = skip;
  for await (const chunk of source) {
    hash.update(chunk.subarray(Math.min(left, chunk.length)));
    left -= Math.min(left, chunk.length);
  }
  return { sha256: hash.digest('hex') };
}

const DAMAGED_EXIT = 4;

/** What is damaged in the store is named by verification; a journal does not stop for it. */
async function orUndefined(read: () => Promise<Hashed>): Promise<Hashed | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof LifeboatError && error.rule.exit === DAMAGED_EXIT) return undefined;
    throw error;
  }
}
