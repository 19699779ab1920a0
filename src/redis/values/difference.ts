import { abortError } from '../connect.ts';
import type { RdbEntry } from '../rdb/walk.ts';
import { CanonicalHasher } from './canonical-hasher.ts';
import { DigestSum } from './digest-sum.ts';
import { EntryHasher } from './entry-hasher.ts';
import { libraryName } from './functions.ts';
import { describeKey } from './key-name.ts';
import { type LogicalType, logicalType } from './rdb-type.ts';

/** What a snapshot holds; items of `readRdb` and of `dumpItems`. */
export type SnapshotItem =
  | { readonly kind: 'entry'; readonly entry: RdbEntry }
  | { readonly kind: 'function'; readonly code: Buffer }
  | { readonly kind: 'end' };

export interface Difference {
  readonly what: 'missing' | 'unexpected' | 'type' | 'expiry' | 'value';
  readonly subject: 'key' | 'function';
  readonly db: number;
  /** The key as it is; for people use `name`, which hides what may be secret in it. */
  readonly key: Buffer;
  readonly name: string;
  readonly type: LogicalType | 'function';
}

export interface DifferenceReport {
  /** The first ones, by database and key. */
  readonly differences: readonly Difference[];
  /** True when there are more than are listed. */
  readonly more: boolean;
}

export interface DifferenceOptions {
  /** How many to list; LIMIT unless told. */
  readonly limit?: number;
  readonly liveAtMs?: number;
  readonly signal?: AbortSignal;
}

const LIMIT = 20;
/** Libraries belong to no database. */
const LIBRARY_DB = -1;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** Keys fall into so many buckets; 16 384 sums are 2 MB for each side. */
const BUCKETS = 2 ** 14;
/** So many differing buckets are looked into: of 100 million keys less than half a million. */
const OPEN_BUCKETS_MAX = 64;

/**
 * Names keys in which two snapshots differ. Each is read twice: first into sums per bucket of keys, then the keys of
 * differing buckets alone are compared. Memory depends on the buckets, hardly on the number of keys.
 */
export async function describeDifference(
  expected: () => AsyncIterable<SnapshotItem>,
  actual: () => AsyncIterable<SnapshotItem>,
  options: DifferenceOptions = {},
): Promise<DifferenceReport> {
  const left = await sumBuckets(expected(), options);
  const right = await sumBuckets(actual(), options);
  const differing = Array.from({ length: BUCKETS }, (_, bucket) => bucket).filter((bucket) => {
    const [mine, other] = [left.get(bucket), right.get(bucket)];
    return mine === undefined || other === undefined ? mine !== other : !mine.equals(other);
  });
  const open = new Set(differing.slice(0, OPEN_BUCKETS_MAX));
  const found = compare(await collect(expected(), open, options), await collect(actual(), open, options));
  found.sort((a, b) => a.db - b.db || Buffer.compare(a.key, b.key));
  const limit = options.limit ?? LIMIT;
  return { differences: found.slice(0, limit), more: found.length > limit || differing.length > OPEN_BUCKETS_MAX };
}

/** A key or a library, with the hash of its value alone. */
interface Subject {
  readonly subject: Difference['subject'];
  readonly db: number;
  readonly key: Buffer;
  readonly type: Difference['type'];
  readonly expireAtMs: number | null;
  readonly hash: string;
}

async function sumBuckets(
  items: AsyncIterable<SnapshotItem>,
  options: DifferenceOptions,
): Promise<Map<number, DigestSum>> {
  const sums = new Map<number, DigestSum>();
  const hasher = new EntryHasher(options.liveAtMs);
  for await (const item of items) {
    if (options.signal?.aborted) throw abortError(options.signal, 'compare redis snapshots');
    if (item.kind === 'end') continue;
    const hash = item.kind === 'entry' ? hasher.hash(item.entry) : hashLibrary(item.code);
    if (hash === undefined) continue;
    const bucket = bucketOf(item);
    const sum = sums.get(bucket) ?? new DigestSum();
    if (sum.count === 0) sums.set(bucket, sum);
    sum.add(hash);
  }
  return sums;
}

async function collect(
  items: AsyncIterable<SnapshotItem>,
  open: ReadonlySet<number>,
  options: DifferenceOptions,
): Promise<Map<string, Subject>> {
  const subjects = new Map<string, Subject>();
  const hasher = new EntryHasher(options.liveAtMs);
  for await (const item of items) {
    if (options.signal?.aborted) throw abortError(options.signal, 'compare redis snapshots');
    if (item.kind === 'end' || !open.has(bucketOf(item))) continue;
    const subject = toSubject(item, hasher);
    if (subject !== undefined) subjects.set(`${subject.db} ${subject.key.toString('latin1')}`, subject);
  }
  return subjects;
}

type Comparable = Exclude<SnapshotItem, { readonly kind: 'end' }>;

function toSubject(item: Comparable, hasher: EntryHasher): Subject | undefined {
  if (item.kind === 'function') {
    const key = Buffer.from(libraryName(item.code), 'utf8');
    return {
      subject: 'function',
      db: LIBRARY_DB,
      key,
      type: 'function',
      expireAtMs: null,
      hash: hashLibrary(item.code),
    };
  }
  const { db, key, type, expireAtMs } = item.entry;
  if (hasher.hash(item.entry) === undefined) return undefined;
  const hash = hasher.hash({ ...item.entry, expireAtMs: null }) ?? '';
  // A copy: the key of an item is good until the next one only.
  return { subject: 'key', db, key: Buffer.from(key), type: logicalType(type), expireAtMs, hash };
}

function compare(expected: ReadonlyMap<string, Subject>, actual: ReadonlyMap<string, Subject>): Difference[] {
  const found: Difference[] = [];
  for (const [id, subject] of expected) {
    const other = actual.get(id);
    const what = other === undefined ? 'missing' : difference(subject, other);
    if (what !== undefined) found.push(toDifference(subject, what));
  }
  for (const [id, subject] of actual) {
    if (!expected.has(id)) found.push(toDifference(subject, 'unexpected'));
  }
  return found;
}

function difference(expected: Subject, actual: Subject): Difference['what'] | undefined {
  if (expected.type !== actual.type) return 'type';
  if (expected.hash !== actual.hash) return 'value';
  return expected.expireAtMs === actual.expireAtMs ? undefined : 'expiry';
}

function toDifference({ subject, db, key, type }: Subject, what: Difference['what']): Difference {
  return { what, subject, db, key, name: subject === 'key' ? describeKey(key) : key.toString('utf8'), type };
}

const libraryHasher = new CanonicalHasher();

function hashLibrary(code: Buffer): string {
  libraryHasher.bytes(code);
  return libraryHasher.finish();
}

/** FNV-1a over the key; the database is mixed in. */
function bucketOf(item: Comparable): number {
  const bytes = item.kind === 'entry' ? item.entry.key : item.code;
  const db = item.kind === 'entry' ? item.entry.db : LIBRARY_DB;
  let hash = Math.imul(FNV_OFFSET ^ db, FNV_PRIME);
  for (let index = 0; index < bytes.length; index += 1) hash = Math.imul(hash ^ bytes[index]!, FNV_PRIME);
  return (hash ^ (hash >>> 16)) & (BUCKETS - 1);
}
