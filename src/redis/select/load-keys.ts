import type { Check } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import { checkSnapshot } from '../check-snapshot.ts';
import { importByRestore } from '../dump/import-by-restore.ts';
import { openPayload } from '../dump/stream/payload.ts';
import { chooseStamp } from '../import/load-by-restore.ts';
import { nameHash } from '../import/membership.ts';
import type { RdbEntry } from '../rdb/walk.ts';
import type { RedisTarget } from '../redis.ts';
import { chosenKeys } from '../scratch/copy-keys.ts';
import { matcherOf } from '../scratch/glob.ts';
import { viewServer } from '../server-view.ts';
import { openRedisSocket } from '../socket.ts';
import { createDigest } from '../values/digest.ts';
import { createHashSet, HASH_SET_MAX, type HashSet } from '../values/hash-set.ts';
import { wantedItems, type KeyName } from './key-items.ts';
import type { KeySelection, KeySource, RedisSelection } from './selected-keys.ts';

/** Keys that expire this soon after the load are not compared; where reading takes longer, it is done again with more. */
const MARGINS_MS = [60_000, 600_000, 3_600_000];
const DIGEST = 'redis digest of the keys';

/** See RedisSelection.load. */
export async function loadKeys(
  selection: KeySelection & { readonly replace: boolean },
  operation: Operation,
): ReturnType<RedisSelection['load']> {
  const { target, patterns, replace } = selection;
  const matches = matcherOf(patterns);
  const names = namesFor(selection);
  const wanted = (name: KeyName): boolean => {
    if (!matches(name.key)) return false;
    names?.add(nameHash(name));
    return true;
  };
  const items = wantedItems(selection, await stampFor(target, selection), wanted);
  const { keys, expired, skipped } = await importByRestore(target, items, {
    operation,
    replace,
    skipExisting: !replace,
  });
  const checks = await prove(selection, { names, operation });
  return { keys: keys + skipped, expired, checks };
}

/** Undefined for a snapshot of more keys than are kept in memory. */
export function namesFor({ facts }: Pick<KeySource, 'facts'>): HashSet | undefined {
  return facts.keys > HASH_SET_MAX ? undefined : createHashSet(facts.keys);
}

/** RDB version for the payloads. @throws LifeboatError REDIS_IMPORT_IMPOSSIBLE for values that the server cannot read */
export async function stampFor(target: RedisTarget, source: KeySource): Promise<number> {
  const redis = await openRedisSocket(target);
  try {
    return await chooseStamp({ open: source.open, request: source }, { view: await viewServer(redis) });
  } finally {
    redis.close();
  }
}

/** The keys of the snapshot against those of these names in the target: every value and expiry. */
async function prove(
  selection: KeySelection,
  { names, operation }: { readonly names: HashSet | undefined; readonly operation: Operation },
): Promise<Check[]> {
  if (names === undefined) {
    const message = `the snapshot holds more than ${HASH_SET_MAX} keys: their names are not kept in memory`;
    return [{ name: DIGEST, status: 'skip', expected: '', actual: '', message }];
  }
  const matches = matcherOf(selection.patterns);
  for (const marginMs of MARGINS_MS) {
    const liveAtMs = Date.now() + marginMs;
    const actual = await digestOfTarget(selection, { names, operation, liveAtMs });
    if (Date.now() > liveAtMs) continue;
    const expected = await checkSnapshot(selection.format, selection.open(), {
      operation,
      phase: 'reading the snapshot again',
      liveAtMs: () => liveAtMs,
      belongs: (_: string, entry?: RdbEntry) => entry !== undefined && matches(entry.key),
    });
    return [
      check('redis keys read back', count(expected.keys), count(actual.keys), 'keys that match, without expired ones'),
      check(DIGEST, expected.digest, actual.digest, 'every value and expiry'),
    ];
  }
  const message = `reading the keys back took longer than ${MARGINS_MS.at(-1)! / 1000} s`;
  return [{ name: DIGEST, status: 'skip', expected: '', actual: '', message }];
}

async function digestOfTarget(
  { target, patterns }: KeySelection,
  reading: { readonly names: HashSet; readonly operation: Operation; readonly liveAtMs: number },
): Promise<{ readonly keys: number; readonly digest: string }> {
  const { names, operation, liveAtMs } = reading;
  const digest = createDigest({ liveAtMs });
  const redis = await openRedisSocket(target, { signal: operation.signal });
  try {
    let bytes = 0;
    for await (const { db, key, payload, expireAtMs } of chosenKeys(redis, { patterns })) {
      if (!names.has(nameHash({ db, key }))) continue;
      const { content } = openPayload(payload);
      digest.add({ db, key, expireAtMs, type: content[0]!, value: content.subarray(1) });
      bytes += payload.length;
      operation.onProgress({ phase: 'reading keys back', bytes, items: digest.keys });
    }
    return { keys: digest.keys, digest: digest.digest() };
  } finally {
    redis.close();
  }
}

const count = (keys: number): string => `${keys} keys`;

function check(name: string, expected: string, actual: string, message: string): Check {
  return { name, status: expected === actual ? 'pass' : 'fail', expected, actual, message };
}
