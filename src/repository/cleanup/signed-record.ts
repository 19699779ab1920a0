import type { z } from 'zod';
import { LifeboatError } from '../../domain/errors.ts';
import type { RepositoryContext, WriterContext } from '../context.ts';
import { openDocument, signDocument } from '../journals/signed-document.ts';
import { readSmallObject } from '../small-object.ts';

/** What every record says of where it belongs. */
interface Home {
  readonly repositoryId: string;
  readonly group: string;
}

export interface RecordPlace<T> {
  readonly key: string;
  readonly shape: z.ZodType<T>;
  /** Is it the record of this very thing? One that was copied to another key is not. */
  isOf(record: T): boolean;
}

/**
 * A record that stands beside what cannot be changed: a hold, a removal. Undefined where there is none.
 * @throws LifeboatError RECORD_DAMAGED when it is not signed by a trusted key, altered, or of something else
 */
export async function readRecord<T extends Home>(
  context: RepositoryContext,
  place: RecordPlace<T>,
): Promise<T | undefined> {
  const { key, shape } = place;
  const bytes = await readSmallObject(context.store, key);
  if (bytes === undefined) return undefined;
  const record = openRecord(context, { key, bytes, shape });
  if (record.repositoryId === context.id && record.group === context.group && place.isOf(record)) return record;
  throw new LifeboatError('RECORD_DAMAGED', `${key}: of another place`, { details: { key } });
}

/** Writes a record, and reads it back as every reader will. @throws LifeboatError RECORD_DAMAGED where nobody would trust it */
export async function writeRecord<T extends Home>(
  context: WriterContext,
  place: RecordPlace<T>,
  record: NoInfer<T>,
): Promise<void> {
  const { key, shape } = place;
  const bytes = signDocument(context.signer, record, `record:${key}`);
  // Before it is there: a record that readers refuse must not take the place of one that they trust.
  openRecord(context, { key, bytes, shape });
  await context.store.put(key, bytes);
}

/** @throws LifeboatError RECORD_DAMAGED when it is not signed by a trusted key, or altered */
export function openRecord<T>(
  context: RepositoryContext,
  document: { readonly key: string; readonly bytes: Buffer; readonly shape: z.ZodType<T> },
): T {
  try {
    return openDocument(context, document);
  } catch (error) {
    if (!(error instanceof LifeboatError && error.code === 'JOURNAL_DAMAGED')) throw error;
    throw new LifeboatError('RECORD_DAMAGED', error.message, { cause: error, details: error.details });
  }
}

/** Names below a prefix that end in `.json`, without both. */
export async function recordNames({ store }: Pick<RepositoryContext, 'store'>, prefix: string): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const { key } of store.list(prefix)) {
    if (key.endsWith('.json')) names.add(key.slice(prefix.length, -'.json'.length));
  }
  return names;
}

/** Whether an error says that a record cannot be trusted; everything else is the store's. */
export function isRecordDamaged(error: unknown): error is LifeboatError {
  return error instanceof LifeboatError && error.code === 'RECORD_DAMAGED';
}
