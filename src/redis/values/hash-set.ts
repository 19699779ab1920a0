import { LifeboatError } from '../../domain/errors.ts';

/** Slots per hash: open addressing stays quick while half of them are free. */
const SLOTS_PER_HASH = 2;
const SLOTS_MIN = 1024;
/** Two halves of 32 bits. */
const HALVES = 2;

/** So many hashes take 64 MiB; a set of more is not made. */
export const HASH_SET_MAX = 2 ** 22;

export interface HashSet {
  /** Adds the first 64 bits of a hash, given as a latin1 string of 8 characters or more. */
  add(hash: string): void;
  /** True for all that was added; for another one it is with a chance of 1 in 2^64 per member. */
  has(hash: string): boolean;
}

/**
 * A set of cryptographic hashes in 16 bytes each, for up to `capacity` members (HASH_SET_MAX at most). `add` throws when
 * there are more.
 */
export function createHashSet(capacity: number): HashSet {
  const slots = 2 ** Math.ceil(Math.log2(Math.max(SLOTS_MIN, capacity * SLOTS_PER_HASH)));
  const table = new Uint32Array(slots * HALVES);
  let members = 0;

  /** Where the hash stands, or the free slot in which it would. */
  const slotOf = (low: number, high: number): number => {
    let slot = low & (slots - 1);
    while (!isFree(slot) && (table[slot * HALVES] !== low || table[slot * HALVES + 1] !== high)) {
      slot = (slot + 1) & (slots - 1);
    }
    return slot * HALVES;
  };
  const isFree = (slot: number): boolean => table[slot * HALVES] === 0 && table[slot * HALVES + 1] === 0;

  return {
    add(hash) {
      const [low, high] = [half(hash, 0), half(hash, 4)];
      const at = slotOf(low, high);
      if (table[at] === 0 && table[at + 1] === 0) members += 1;
      if (members >= slots) throw new LifeboatError('INTERNAL', `a set for ${capacity} hashes was given more`);
      table[at] = low;
      table[at + 1] = high;
    },
    has(hash) {
      const [low, high] = [half(hash, 0), half(hash, 4)];
      return table[slotOf(low, high)] === low && table[slotOf(low, high) + 1] === high;
    },
  };
}

function half(hash: string, at: number): number {
  const low = hash.charCodeAt(at) | (hash.charCodeAt(at + 1) << 8) | (hash.charCodeAt(at + 2) << 16);
  return (low | (hash.charCodeAt(at + 3) << 24)) >>> 0;
}
