import { createHash } from 'node:crypto';
import { sortedJson } from '../sorted-json.ts';

/** SHA-256, hexadecimal, of a value's JSON with sorted keys: equal values have equal digests, however they were written. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(sortedJson(value)).digest('hex');
}
