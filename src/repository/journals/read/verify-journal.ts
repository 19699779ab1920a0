import type { Problem } from '../../../domain/backup.ts';
import type { JournalEntry, JournalEpoch, JournalKind } from '../../../domain/journal.ts';
import type { Operation } from '../../../domain/operation.ts';
import type { RepositoryContext } from '../../context.ts';
import { mapBounded } from '../../map-bounded.ts';
import { readStored } from '../../objects/object-reader.ts';
import { findHoles } from './find-holes.ts';
import { findRollbacks } from './find-rollbacks.ts';
import { findUnknown, type KnownKeys, knownKeys } from './find-unknown.ts';
import { problemOf } from './journal-home.ts';
import { journalKeyKey } from '../journal-keys.ts';
import { readEpochs } from './read-catalog.ts';
import { epochKey, type EpochKeys, readEntry } from './read-entry.ts';

/** Objects read at once: one is decrypted while another waits for the store. They are small, unlike those of backups. */
const OBJECTS_AT_ONCE = 2;

/**
 * Reads every object of every epoch back, and names what is missing, altered, put back to an older state, not contiguous, or
 * named by nobody. Nothing that was read before counts. Errors of the store reject.
 */
export async function verifyJournal(
  context: RepositoryContext,
  kind: JournalKind,
  operation: Operation,
): Promise<Problem[]> {
  const read = await readEpochs(context, kind, new Map());
  const epochs = read.epochs.map(({ epoch }) => epoch);
  const reading: Reading = { context, operation, keys: new Map(), bytes: 0 };
  const found: Problem[] = [...read.problems, ...findHoles(epochs), ...(await findRollbacks(context, epochs))];
  const look = async (): Promise<KnownKeys> => knownKeys(kind, await readEpochs(context, kind, new Map()));
  found.push(...(await findUnknown(context, kind, { first: knownKeys(kind, read), look })));
  for (const epoch of epochs) found.push(...(await verifyEpoch(reading, epoch)));
  return found;
}

interface Reading {
  readonly context: RepositoryContext;
  readonly operation: Operation;
  readonly keys: EpochKeys;
  bytes: number;
}

async function verifyEpoch(reading: Reading, epoch: JournalEpoch): Promise<Problem[]> {
  const unopened = await openKey(reading, epoch);
  const isReadable = unopened.length === 0;
  const objects = await mapBounded(epoch.entries, OBJECTS_AT_ONCE, (entry) =>
    verifyEntry(reading, { epoch, entry, isReadable }),
  );
  return [...unopened, ...objects.flat()];
}

async function openKey({ context, keys }: Reading, epoch: JournalEpoch): Promise<Problem[]> {
  try {
    await epochKey(context, epoch, keys);
    return [];
  } catch (error) {
    return [problemOf(epoch.begin, journalKeyKey(epoch.begin), error)];
  }
}

async function verifyEntry(
  reading: Reading,
  {
    epoch,
    entry,
    isReadable,
  }: { readonly epoch: JournalEpoch; readonly entry: JournalEntry; readonly isReadable: boolean },
): Promise<Problem[]> {
  const { context, operation, keys } = reading;
  const { signal } = operation;
  try {
    // Without the key the stored bytes can still be compared with their digests.
    const bytes: AsyncIterable<Buffer> = isReadable
      ? readEntry(context, { epoch, entry, keys }, operation)
      : readStored(context.store, entry, signal);
    for await (const chunk of bytes) {
      signal.throwIfAborted();
      reading.bytes += chunk.length;
      operation.onProgress({ phase: 'verifying', object: entry.key, bytes: reading.bytes });
    }
    return [];
  } catch (error) {
    signal.throwIfAborted();
    return [problemOf(epoch.begin, entry.key, error)];
  }
}
