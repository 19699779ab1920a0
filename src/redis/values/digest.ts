import { CanonicalHasher } from './canonical-hasher.ts';
import { DigestSum } from './digest-sum.ts';
import { EntryHasher } from './entry-hasher.ts';
import type { RdbEntry } from '../rdb/walk.ts';
import { libraryName } from './functions.ts';
import { logicalType } from './rdb-type.ts';

/** Stands first in what is hashed at the end: another form of the digest gets another name. */
const DIGEST_NAME = Buffer.from('lifeboat-redis-digest-1', 'latin1');

export interface RedisDigest {
  /** Adds one key; each key of a data set once, in any order. */
  add(entry: RdbEntry): void;
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
  /** Keys of modules among them: compared byte by byte, not by meaning. */
  readonly opaque: number;
}

/**
 * An order-free digest of a data set: SHA-256 over counts and the sum, modulo 2^256, of the hashes of all keys.
 * Equal data gives equal digests whatever the order, the encoding and the version of the server.
 *
 * @param options.liveAtMs leave out keys and hash fields that expire at or before this time, so that two snapshots
 * stay comparable while time passes
 */
export function createDigest(options: { readonly liveAtMs?: number } = {}): RedisDigest {
  const hasher = new EntryHasher(options.liveAtMs);
  const tail = new CanonicalHasher();
  const keySum = new DigestSum();
  const functionSum = new DigestSum();
  const databases: Record<string, number> = {};
  let expired = 0;
  let opaque = 0;

  return {
    add(entry) {
      const hash = hasher.hash(entry);
      if (hash === undefined) {
        expired += 1;
        return;
      }
      keySum.add(hash);
      databases[entry.db] = (databases[entry.db] ?? 0) + 1;
      if (logicalType(entry.type) === 'module') opaque += 1;
    },
    addFunction(code) {
      tail.bytes(Buffer.from(libraryName(code), 'utf8'));
      tail.bytes(code);
      functionSum.add(tail.finish());
    },
    digest() {
      tail.bytes(DIGEST_NAME);
      for (const sum of [keySum, functionSum]) {
        tail.varint(sum.count);
        tail.raw(sum.bytes());
      }
      return Buffer.from(tail.finish(), 'latin1').toString('hex');
    },
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
    get opaque() {
      return opaque;
    },
  };
}
