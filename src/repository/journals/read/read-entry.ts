import { Readable } from 'node:stream';
import type { JournalEntry, JournalEpoch } from '../../../domain/journal.ts';
import type { Operation } from '../../../domain/operation.ts';
import type { DataKey } from '../../../encryption/data-key.ts';
import type { RepositoryContext } from '../../context.ts';
import { readObject } from '../../objects/object-reader.ts';
import { openEpochKey } from '../epoch-key.ts';
import { epochName } from '../journal-keys.ts';

/** Data keys by epoch: a restore opens thousands of objects under a handful of keys. */
export type EpochKeys = Map<string, Promise<DataKey>>;

export function readEntry(
  context: RepositoryContext,
  wanted: { readonly epoch: JournalEpoch; readonly entry: JournalEntry; readonly keys: EpochKeys },
  operation: Operation,
): Readable {
  return Readable.from(entryBytes(context, wanted, operation), { objectMode: false });
}

async function* entryBytes(
  context: RepositoryContext,
  { epoch, entry, keys }: { readonly epoch: JournalEpoch; readonly entry: JournalEntry; readonly keys: EpochKeys },
  operation: Operation,
): AsyncGenerator<Buffer> {
  const place = {
    backupId: epochName(epoch.begin),
    compression: entry.compression,
    dataKey: await epochKey(context, epoch, keys),
    signal: operation.signal,
  };
  for await (const chunk of readObject(context.store, entry, place)) {
    operation.signal.throwIfAborted();
    yield chunk;
  }
}

/** Undefined where the epoch is not encrypted. */
export async function epochKey(
  context: RepositoryContext,
  { begin }: JournalEpoch,
  keys: EpochKeys,
): Promise<DataKey | undefined> {
  if (begin.codec.encryption === 'none') return undefined;
  const name = epochName(begin);
  const known = keys.get(name);
  if (known !== undefined) return known;
  const opening = openEpochKey(context, begin, begin.keyCheckValue);
  keys.set(name, opening);
  // A failed one is asked for again: the store may have been away.
  opening.catch(() => keys.delete(name));
  return opening;
}
