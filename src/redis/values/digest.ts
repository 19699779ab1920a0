import { CanonicalHasher } from './canonical-hasher.ts';
import { DigestSum } from './digest-sum.ts';
import { EntryHasher } from './entry-hasher.ts';
import type { RdbEntry, RdbLargeHead, RdbLargeSink } from '../rdb/walk.ts';
import { libraryName } from './functions.ts';
import { describeKey } from './key-name.ts';
import { logicalType } from './rdb-type.ts';

/** Stands first in what is hashed at the end: another form of the digest gets another name. */
const DIGEST_NAME = Buffer.from('lifeboat-redis-digest-1', 'latin1');

const NOT_KEPT = Buffer.alloc(0);
/** So many keys that do not belong are named. */
const NAMED_STRANGERS = 5;

export interface DigestOptions {
  /** Leave out keys and hash fields that expire at or before this time, so that two snapshots stay comparable. */
  readonly liveAtMs?: number;
  /**
   * Told of each live key with its hash (32 characters), and of each library of functions by its hash alone; what does
   * not belong is counted as a stranger and is in no other number.
   */
  readonly belongs?: (hash: string, entry?: RdbEntry) => boolean;
}

/** What `belongs` kept out. */
export interface Strangers {
  readonly count: number;
  /** The first ones, without what may be secret in a key. */
  readonly names: readonly string[];
}

export interface RedisDigest {
  /** Adds one key; each key of a data set once, in any order. */
  add(entry: RdbEntry): void;
  /** As `add` for a value that comes in pieces; undefined for one that has to be decoded as a whole. */
  addLarge(head: RdbLargeHead): RdbLargeSink | undefined;
  /** Adds one library of functions: its code as the server gives it. */
  addFunction(code: Buffer): void;
  /** Hex, 64 characters; more may be added afterwards. */
  digest(): string;
  /** Keys added and not left out. */
  readonly keys: number;
  /** The same per database number. */
  readonly databases: Readonly<Record<string, number>>;
  readonly functions: number;
  /** Keys left out because they had expired. */
  readonly expired: number;
  readonly strangers: Strangers;
  /** Keys of modules among them: compared byte by byte, not by meaning. */
  readonly opaque: number;
}

function createStrangers(): Strangers & { add(name: () => string): void } {
  const names: string[] = [];
  let count = 0;
  return {
    names,
    get count() {
      return count;
    },
    add(name) {
      count += 1;
      if (names.length < NAMED_STRANGERS) names.push(name());
    },
  };
}

/**
 * An order-free digest of a data set: SHA-256 over counts and the sum, modulo 2^256, of the hashes of all keys.
 * Equal data gives equal digests whatever the order, the encoding and the version of the server.
 */
export function createDigest(options: DigestOptions = {}): RedisDigest {
  const belongs = options.belongs ?? (() => true);
  const hasher = new EntryHasher(options.liveAtMs);
  const tail = new CanonicalHasher();
  const keySum = new DigestSum();
  const functionSum = new DigestSum();
  const databases: Record<string, number> = {};
  const strangers = createStrangers();
  let expired = 0;
  let opaque = 0;

  const count = (entry: RdbEntry, hash: string | undefined): void => {
    if (hash === undefined) expired += 1;
    else if (!belongs(hash, entry)) strangers.add(() => `key ${describeKey(entry.key)} in db${entry.db}`);
    else {
      keySum.add(hash);
      databases[entry.db] = (databases[entry.db] ?? 0) + 1;
      if (logicalType(entry.type) === 'module') opaque += 1;
    }
  };

  return {
    add: (entry) => count(entry, hasher.hash(entry)),
    addLarge(head) {
      if (logicalType(head.type) !== 'string') return undefined;
      const value = hasher.hashLarge(head);
      const entry = { ...head, value: NOT_KEPT };
      return { piece: (piece) => value?.piece(piece), end: () => count(entry, value?.end()) };
    },
    addFunction(code) {
      const hash = hashLibrary(code, tail);
      if (belongs(hash)) functionSum.add(hash);
      else strangers.add(() => `function library ${libraryName(code)}`);
    },
    digest: () => digestOfSums(keySum, functionSum),
    get keys() {
      return keySum.count;
    },
    databases,
    get functions() {
      return functionSum.count;
    },
    get expired() {
      return expired;
    },
    strangers,
    get opaque() {
      return opaque;
    },
  };
}

/** Hash of one library by its name and its code, as a latin1 string of 32 characters. */
export function hashLibrary(code: Buffer, hasher: CanonicalHasher = new CanonicalHasher()): string {
  hasher.bytes(Buffer.from(libraryName(code), 'utf8'));
  hasher.bytes(code);
  return hasher.finish();
}

/** The digest of a data set from the sums over the hashes of its keys and of its libraries; hex, 64 characters. */
export function digestOfSums(keys: DigestSum, functions: DigestSum): string {
  const hasher = new CanonicalHasher();
  hasher.bytes(DIGEST_NAME);
  for (const sum of [keys, functions]) {
    hasher.varint(sum.count);
    hasher.raw(sum.bytes());
  }
  return Buffer.from(hasher.finish(), 'latin1').toString('hex');
}
