import { randomBytes } from 'node:crypto';
import { type ErrorCode, LifeboatError } from '../../domain/errors.ts';
import type { ObjectStore } from '../object-store.ts';
import { pass, withProbeKeys, type Probe, type ProbeAnswer } from './probe.ts';

/** Above a part of an S3 upload, so that the conditional request is the one that completes it. */
const BIG_BYTES = 9 * 1024 * 1024;
const SMALL_BYTES = 1000;
const WRITERS_AT_ONCE = 8;

/** What every store must do, asked through the port that everything else uses. */
export function storeProbes(store: ObjectStore): readonly Probe[] {
  return [
    { name: 'write and read', run: async () => writeAndRead(store) },
    { name: 'conditional write', run: async () => writeConditionally(store, SMALL_BYTES) },
    { name: 'conditional write, big object', run: async () => writeConditionally(store, BIG_BYTES) },
    { name: 'conditional replacement', run: async () => replaceConditionally(store) },
    { name: 'first writers at once', run: async () => writeAtOnce(store) },
    { name: 'order of lists', run: async () => listInOrder(store) },
  ];
}

async function writeAndRead(store: ObjectStore): Promise<ProbeAnswer> {
  return withProbeKeys(store, async (prefix) => {
    const sent = randomBytes(SMALL_BYTES);
    await store.put(`${prefix}object`, sent);
    if (!(await read(store, `${prefix}object`)).equals(sent))
      throw new LifeboatError('STORE_DATA_DAMAGED', `read from ${store.url}: other bytes than were written`);
    await store.remove(`${prefix}object`);
    if ((await store.head(`${prefix}object`)) !== undefined)
      throw new LifeboatError('STORE_UNSUPPORTED', `remove from ${store.url}: the object is still there`);
    return pass('written, read back, removed; what was removed is gone at once');
  });
}

async function writeConditionally(store: ObjectStore, sizeBytes: number): Promise<ProbeAnswer> {
  return withProbeKeys(store, async (prefix) => {
    const first = randomBytes(sizeBytes);
    await store.put(`${prefix}once`, first, { ifNoneMatch: true });
    await requireRefusal(store, store.put(`${prefix}once`, randomBytes(sizeBytes), { ifNoneMatch: true }));
    if (!(await read(store, `${prefix}once`)).equals(first))
      throw notConditional(store, 'it refused and wrote all the same');
    return pass('a second first write is refused: the store can be a primary');
  });
}

/** Of two that replace the same version one must be told. */
async function replaceConditionally(store: ObjectStore): Promise<ProbeAnswer> {
  return withProbeKeys(store, async (prefix) => {
    const key = `${prefix}replaced`;
    await store.put(key, randomBytes(SMALL_BYTES));
    const ifMatch = (await store.head(key))?.version;
    if (ifMatch === undefined) throw notConditional(store, 'it gives no version (ETag) of an object');
    const second = randomBytes(SMALL_BYTES);
    await store.put(key, second, { ifMatch });
    await refused(store, store.put(key, randomBytes(SMALL_BYTES), { ifMatch }), {
      code: 'STORE_KEY_CHANGED',
      otherwise: 'one version was replaced twice (If-Match)',
    });
    if (!(await read(store, key)).equals(second)) throw notConditional(store, 'it refused and wrote all the same');
    return pass(
      'a version that was replaced meanwhile is not replaced again: wrapped keys do not overwrite each other',
    );
  });
}

async function requireRefusal(store: ObjectStore, second: Promise<unknown>): Promise<void> {
  await refused(store, second, {
    code: 'STORE_KEY_EXISTS',
    otherwise: 'two first writes of one key both succeeded',
  });
}

async function refused(
  store: ObjectStore,
  write: Promise<unknown>,
  { code, otherwise }: { readonly code: ErrorCode; readonly otherwise: string },
): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (error instanceof LifeboatError && error.code === code) return;
    throw error;
  }
  throw notConditional(store, otherwise);
}

async function writeAtOnce(store: ObjectStore): Promise<ProbeAnswer> {
  return withProbeKeys(store, async (prefix) => {
    const writers = Array.from({ length: WRITERS_AT_ONCE }, () => randomBytes(SMALL_BYTES));
    const puts = writers.map(async (bytes) => store.put(`${prefix}race`, bytes, { ifNoneMatch: true }));
    const results = await Promise.allSettled(puts);
    const winners = writers.filter((_, index) => results[index]?.status === 'fulfilled');
    if (winners.length !== 1)
      throw notConditional(store, `${winners.length} of ${WRITERS_AT_ONCE} writers at once were first`);
    const found = await read(store, `${prefix}race`);
    if (!found.equals(winners[0] ?? Buffer.alloc(0)))
      throw notConditional(store, 'the bytes are not those of the winner');
    return pass(`of ${WRITERS_AT_ONCE} writers at once one was first: operations exclude each other`);
  });
}

/** Names of which a server that keeps folders makes another order than that of the keys. */
const ORDERED = ['a-1/x', 'a.1', 'a/1', 'a/b-1', 'a/b/1', 'a0'];

async function listInOrder(store: ObjectStore): Promise<ProbeAnswer> {
  return withProbeKeys(store, async (prefix) => {
    for (const key of ORDERED) await store.put(prefix + key, Buffer.from('x'));
    const found: string[] = [];
    for await (const { key } of store.list(prefix)) found.push(key.slice(prefix.length));
    if (found.join() !== ORDERED.join())
      throw new LifeboatError('STORE_UNSUPPORTED', `list ${store.url}: gave ${found.join(' ')}`);
    return pass('whole and in the order of keys: nothing is missed');
  });
}

function notConditional(store: ObjectStore, facts: string): LifeboatError {
  return new LifeboatError('STORE_NOT_CONDITIONAL', `put into ${store.url}: ${facts}`);
}

async function read(store: ObjectStore, key: string): Promise<Buffer> {
  return Buffer.concat(await (await store.get(key)).toArray());
}
