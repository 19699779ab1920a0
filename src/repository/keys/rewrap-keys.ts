import type { Problem } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { RewrapReport } from '../../domain/key-report.ts';
import type { Operation } from '../../domain/operation.ts';
import { inspectDataKey, rewrapDataKey } from '../../encryption/data-key.ts';
import type { Keyring } from '../../encryption/keyring.ts';
import type { RepositoryContext } from '../context.ts';
import { mapBounded } from '../map-bounded.ts';
import { requireRepository } from '../repository-file.ts';
import { keyProblem } from './check-keys.ts';
import { type ListedKey, listKeys } from './list-keys.ts';
import { contextOf, openedBy, findWrappedKey, formatWrappedKey, nameOf, requireKeyring } from './wrapped-key.ts';

/** Hides a store's latency. */
const KEYS_AT_ONCE = 8;
/** A backup that began with the old key while this ran is found by another look; more are a worker with another keyring. */
const PASSES = 4;
/** Somebody else rewraps the same key at the same moment; more often than this is no coincidence. */
const TRIES = 5;

interface Rewrapping {
  readonly context: RepositoryContext;
  readonly operation: Operation;
  readonly keyId: string;
  /** What each key is wrapped for in the end, in this order. */
  readonly wanted: readonly string[];
  items: number;
}

/** Looks until a whole pass has found nothing more to wrap: then every key has been read back as it should be. */
export async function rewrapKeys(
  context: RepositoryContext,
  keyId: string,
  operation: Operation,
): Promise<RewrapReport> {
  await requireRepository(context, 'rewrap keys');
  const keyring = requireKeyring(context, { key: 'keys/', owner: { backupId: 'all backups' } });
  const { escrowIds } = keyring;
  const work: Rewrapping = { context, operation, keyId, wanted: [keyId, ...escrowIds], items: 0 };
  for (let pass = 1, rewrapped = 0; pass <= PASSES; pass += 1) {
    const { total, changed, problems } = await onePass(work);
    rewrapped += changed;
    if (changed === 0) return { keyId, escrowIds, total, rewrapped, problems };
  }
  throw notActive(`after ${PASSES} passes others still wrap with another key`);
}

async function onePass(
  work: Rewrapping,
): Promise<{ readonly total: number; readonly changed: number; readonly problems: readonly Problem[] }> {
  const places: ListedKey[] = [];
  for await (const place of listKeys(work.context.store)) places.push(place);
  const problems: Problem[] = [];
  const changes = await mapBounded(places, KEYS_AT_ONCE, async (place) => {
    work.operation.signal.throwIfAborted();
    work.operation.onProgress({ phase: 'rewrapping', object: nameOf(place), bytes: 0, items: (work.items += 1) });
    try {
      return await rewrapOne(work, place);
    } catch (error) {
      problems.push(keyProblem(place, error));
      return false;
    }
  });
  return { total: places.length, changed: changes.filter(Boolean).length, problems };
}

/** True where it was wrapped again. The bytes are replaced only while they are those that were opened. */
async function rewrapOne(work: Rewrapping, place: ListedKey): Promise<boolean> {
  const { store } = work.context;
  const keyring = requireKeyring(work.context, place);
  for (let attempt = 1; ; attempt += 1) {
    const version = (await store.head(place.key))?.version;
    const wrapped = await findWrappedKey(store, place);
    // An unfinished backup was discarded meanwhile, and its key with it.
    if (wrapped === undefined) return false;
    const wrappedFor = await openedBy(inspectDataKey, keyring, { place, wrapped });
    if (wrapped.keyId === work.keyId && isSame(wrappedFor, work.wanted)) return false;
    const again = await rewrapDataKey(keyring, wrapped, contextOf(place));
    if (again.keyId !== work.keyId) throw notActive(`${again.keyId} is active, not ${work.keyId}`);
    try {
      const ifMatch = version === undefined ? {} : { ifMatch: version };
      await store.put(place.key, formatWrappedKey(place, again), ifMatch);
      return true;
    } catch (error) {
      const isChanged = error instanceof LifeboatError && error.code === 'STORE_KEY_CHANGED';
      if (!isChanged || attempt === TRIES) throw error;
    }
  }
}

function isSame(found: readonly string[], wanted: readonly string[]): boolean {
  return found.length === wanted.length && wanted.every((id, at) => found[at] === id);
}

/** The key that wraps now; a keyring that follows its file is asked to look. */
export async function activeKeyId(keyring: Keyring): Promise<string> {
  const { keyId } = await keyring.wrap(new Uint8Array(32), { purpose: 'lifeboat-which-key' });
  return keyId;
}

function notActive(what: string): LifeboatError {
  return new LifeboatError('KEY_NOT_ACTIVE', `rewrap keys: ${what}`);
}
