import type { PieceSink } from '../rdb/capture.ts';
import type { RdbEntry } from '../rdb/walk.ts';
import { CanonicalHasher } from './canonical-hasher.ts';
import { DigestSum } from './digest-sum.ts';
import { LargeString } from './large-string.ts';
import { hashFields } from './types/hash.ts';
import { listElements } from './types/list.ts';
import { logicalType, type LogicalType } from './rdb-type.ts';
import { setMembers } from './types/set.ts';
import { sortedSetMembers } from './types/sorted-set.ts';
import { addStream } from './stream-hash.ts';
import { stringValue } from './types/string.ts';

const TYPE_CODES: Readonly<Record<LogicalType, number>> = {
  string: 1,
  list: 2,
  set: 3,
  zset: 4,
  hash: 5,
  stream: 6,
  module: 7,
};

/** Marks between the elements of a list, whose number is not known before its end. */
const END = 0;
const ELEMENT = 1;

/**
 * Hashes keys in a canonical form, so that the same data in another encoding gives the same hash: lists and streams in
 * order; sets, sorted sets and hashes as a count and a sum over the hashes of their elements; numbers as their text;
 * scores as doubles with −0 as 0 (packed encodings cannot keep its sign); expiries in milliseconds + 1 with 0 for none.
 * Values of modules are taken as bytes: equal bytes are equal values, different bytes may be too.
 */
export class EntryHasher {
  readonly #outer = new CanonicalHasher();
  readonly #inner = new CanonicalHasher();
  readonly #sum = new DigestSum();
  readonly #liveAtMs: number;

  /** @param liveAtMs keys and hash fields that expire at or before this time are left out */
  constructor(liveAtMs = Number.NEGATIVE_INFINITY) {
    this.#liveAtMs = liveAtMs;
  }

  /**
   * SHA-256 over database, key, expiry, logical type and value, as a latin1 string of 32 characters; undefined for an
   * entry that is left out. Throws REDIS_VALUE_CORRUPT, REDIS_VALUE_TYPE_UNKNOWN, RDB_MALFORMED.
   */
  hash(entry: RdbEntry): string | undefined {
    if (!this.#isLive(entry.expireAtMs)) return undefined;
    this.#begin(entry.db, entry.key, entry.expireAtMs);
    return this.#value(entry.type, entry.value) ? this.#outer.finish() : undefined;
  }

  /**
   * As `hash` for a string (logical type) whose body comes in pieces: nothing else may be hashed before `end`. Undefined
   * for one that is left out.
   */
  hashLarge({
    db,
    key,
    expireAtMs,
  }: Omit<RdbEntry, 'value'>): { readonly piece: PieceSink; readonly end: () => string } | undefined {
    if (!this.#isLive(expireAtMs)) return undefined;
    this.#begin(db, key, expireAtMs);
    this.#outer.byte(TYPE_CODES.string);
    const body = new LargeString(
      (sizeBytes) => this.#outer.varint(sizeBytes),
      (bytes) => this.#outer.raw(bytes),
    );
    const end = (): string => {
      body.end();
      return this.#outer.finish();
    };
    return { piece: (piece) => body.push(piece), end };
  }

  #begin(db: number, key: Buffer, expireAtMs: number | null): void {
    this.#outer.reset();
    this.#inner.reset();
    this.#outer.varint(db);
    this.#outer.bytes(key);
    this.#outer.varint(expiryCode(expireAtMs));
  }

  /** False when nothing of the value is left. */
  #value(type: number, body: Buffer): boolean {
    const logical = logicalType(type);
    this.#outer.byte(TYPE_CODES[logical]);
    switch (logical) {
      case 'string':
        this.#outer.bytes(stringValue(body));
        return true;
      case 'list':
        this.#list(type, body);
        return true;
      case 'set':
        this.#set(type, body);
        return true;
      case 'zset':
        this.#sortedSet(type, body);
        return true;
      case 'hash':
        return this.#hash(type, body);
      case 'stream':
        addStream(this.#outer, type, body);
        return true;
      case 'module':
      default:
        this.#outer.bytes(body);
        return true;
    }
  }

  #list(type: number, body: Buffer): void {
    for (const element of listElements(type, body)) {
      this.#outer.byte(ELEMENT);
      this.#outer.bytes(element);
    }
    this.#outer.byte(END);
  }

  #set(type: number, body: Buffer): void {
    this.#sum.reset();
    for (const member of setMembers(type, body)) {
      this.#inner.bytes(member);
      this.#sum.add(this.#inner.finish());
    }
    this.#addSum();
  }

  #sortedSet(type: number, body: Buffer): void {
    this.#sum.reset();
    for (const { member, score } of sortedSetMembers(type, body)) {
      this.#inner.bytes(member);
      this.#inner.double(score === 0 ? 0 : score);
      this.#sum.add(this.#inner.finish());
    }
    this.#addSum();
  }

  #hash(type: number, body: Buffer): boolean {
    this.#sum.reset();
    let expired = false;
    for (const { field, value, expireAtMs } of hashFields(type, body)) {
      if (!this.#isLive(expireAtMs)) {
        expired = true;
        continue;
      }
      this.#inner.bytes(field);
      this.#inner.bytes(value);
      this.#inner.varint(expiryCode(expireAtMs));
      this.#sum.add(this.#inner.finish());
    }
    this.#addSum();
    return this.#sum.count > 0 || !expired;
  }

  #addSum(): void {
    this.#outer.varint(this.#sum.count);
    this.#outer.raw(this.#sum.bytes());
  }

  #isLive(expireAtMs: number | null): boolean {
    return expireAtMs === null || expireAtMs > this.#liveAtMs;
  }
}

function expiryCode(expireAtMs: number | null): number {
  if (expireAtMs === null) return 0;
  return Math.min(Math.max(expireAtMs, 0), Number.MAX_SAFE_INTEGER - 1) + 1;
}
