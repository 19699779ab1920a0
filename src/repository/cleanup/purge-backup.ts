import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { RepositoryContext } from '../context.ts';
import { backupPrefix, beginKey, dataKeyKey, holdKey, manifestKey, signatureKey, verifiedPrefix } from '../layout.ts';
import { mapBounded } from '../map-bounded.ts';
import { readRemoval } from './removal-record.ts';

const REMOVALS_AT_ONCE = 16;

/**
 * Second half of a removal: the objects. Order that is load-bearing: the manifest first, so that nobody finds a backup that lacks
 * something; `begin.json` last, so that one that was interrupted is found again. Safe to repeat.
 *
 * @returns bytes that were removed by this call
 * @throws LifeboatError BACKUP_NOT_REMOVED when no trusted record says that it was removed
 */
export async function purgeBackup(context: RepositoryContext, backupId: string, operation: Operation): Promise<number> {
  const { store } = context;
  if ((await readRemoval(context, backupId)) === undefined) {
    throw new LifeboatError('BACKUP_NOT_REMOVED', `remove objects of ${backupId}: no record says that it was removed`, {
      details: { backupId },
    });
  }
  await store.remove(manifestKey(backupId));
  await store.remove(signatureKey(backupId));
  const removed = await removeAll(context, backupPrefix(backupId), { last: beginKey(backupId) }, operation);
  for (const key of [dataKeyKey(backupId), holdKey(backupId)]) await store.remove(key);
  await removeAll(context, verifiedPrefix(backupId), { last: '' }, operation);
  await store.removeLeftovers(backupPrefix(backupId), 0);
  await store.remove(beginKey(backupId));
  return removed;
}

/** Removes everything below a prefix but one key; names are taken a page at a time. Gives the bytes. */
export async function removeAll(
  { store }: Pick<RepositoryContext, 'store'>,
  prefix: string,
  { last }: { readonly last: string },
  { signal, onProgress }: Operation,
): Promise<number> {
  let bytes = 0;
  for await (const page of pagesOf(store.list(prefix))) {
    signal.throwIfAborted();
    await mapBounded(
      page.filter(({ key }) => key !== last),
      REMOVALS_AT_ONCE,
      async ({ key, sizeBytes }) => {
        await store.remove(key);
        bytes += sizeBytes;
        onProgress({ phase: 'removing', object: key, bytes });
      },
    );
  }
  return bytes;
}

const PAGE = 500;

async function* pagesOf<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let page: T[] = [];
  for await (const item of items) {
    page.push(item);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** Bytes below a prefix. */
export async function sizeOf({ store }: Pick<RepositoryContext, 'store'>, prefix: string): Promise<number> {
  let bytes = 0;
  for await (const { sizeBytes } of store.list(prefix)) bytes += sizeBytes;
  return bytes;
}
