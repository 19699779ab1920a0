import { LifeboatError } from '../../../domain/errors.ts';
import type { ScannedKey } from './scan-database.ts';
import { openPayload } from '../stream/payload.ts';
import { IN_PIECES_BYTES } from '../../rdb/capture.ts';
import { EntryHasher } from '../../values/entry-hasher.ts';
import { logicalType } from '../../values/rdb-type.ts';

export interface HashedKey {
  /** SHA-256 over database, key, expiry, type and canonical value, as a latin1 string of 32 characters. */
  readonly hash: string;
  /** RDB version of the server that gave the value. */
  readonly rdbVersion: number;
}

/** Hashes keys as DUMP gives them, as `createDigest` does, so that the sums over both are the same. */
export class KeyHasher {
  readonly #hasher = new EntryHasher();

  /** @throws LifeboatError REDIS_DUMP_CHECKSUM, REDIS_VALUE_CORRUPT, REDIS_VALUE_TYPE_UNKNOWN, RDB_MALFORMED */
  hash(db: number, { key, payload, expireAtMs }: ScannedKey): HashedKey {
    const { content, rdbVersion } = openPayload(payload);
    const [head, value] = [{ db, key, type: content[0]!, expireAtMs }, content.subarray(1)];
    const large = value.length >= IN_PIECES_BYTES && logicalType(head.type) === 'string';
    const hash = large ? this.#hashLarge(head, value) : this.#hasher.hash({ ...head, value });
    // Only what has expired at a time that is asked for is left out, and none is.
    if (hash === undefined) throw new LifeboatError('INTERNAL', 'hash a redis key: it was left out');
    return { hash, rdbVersion };
  }

  /** Without unpacking the whole string. */
  #hashLarge(head: Parameters<EntryHasher['hashLarge']>[0], value: Buffer): string | undefined {
    const sink = this.#hasher.hashLarge(head);
    sink?.piece(value);
    return sink?.end();
  }
}
