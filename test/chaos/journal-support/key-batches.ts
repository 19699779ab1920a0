/** What a batch of the Redis writers holds: any process can tell it from the writer and its number alone. */
import { nameOf, type WriteLog } from './write-log.ts';

export const KEY_WRITERS = 4;
/** Each counts: an entry of a list, two of a transaction, steps of a counter, and keys with and without expiry. */
export const WRITES_PER_BATCH = 50;
const COUNTED = 22;
const SETS = WRITES_PER_BATCH - COUNTED - 3;
const KEYS = 500;
const EXPIRES_MS = 3_600_000;

type Command = [string, ...(string | number)[]];

/** Commands in the order they are sent: the list first, so that a batch of which anything is there is in it. */
export function batchOf(writer: number, n: number): Command[] {
  return [
    ['RPUSH', `log:${writer}`, n],
    ['MULTI'],
    ['SET', `pair:a:${writer}`, n],
    ['SET', `pair:b:${writer}`, n],
    ['EXEC'],
    ...Array.from({ length: COUNTED }, (): Command => ['INCR', `count:${writer}`]),
    ...keysOf(writer, n).map((key): Command => {
      const command: Command = ['SET', nameOfKey(writer, key), n];
      return key % 10 === 0 ? [...command, 'PX', EXPIRES_MS] : command;
    }),
  ];
}

const keysOf = (writer: number, n: number): number[] =>
  Array.from({ length: SETS }, (_, index) => Math.imul(n * SETS + index + 1, 0x9e3779b1 + 2 * writer) >>> 7).map(
    (mixed) => mixed % KEYS,
  );

const nameOfKey = (writer: number, key: number): string => `key:${writer}:${key}`;
export const keyNames = (writer: number): string[] => Array.from({ length: KEYS }, (_, key) => nameOfKey(writer, key));

/** What a server holds of one writer. */
export interface WriterKeys {
  readonly writer: number;
  /** The list: numbers of the batches of which anything is there. */
  readonly batches: readonly number[];
  readonly counter: number;
  /** Values in the order of `keyNames`. */
  readonly values: readonly (string | null)[];
}

/**
 * Single commands that are missing or too many, a line each. A batch is there with all its commands if it was acknowledged and a later one
 * is there, or if it was acknowledged before `requiredMs`; of any other a beginning may be there.
 */
export function wrongWithin({ entries }: WriteLog, found: WriterKeys, requiredMs: number): string[] {
  const { writer, batches, counter, values } = found;
  const acked = new Map(entries.filter((entry) => entry.writer === writer).map((entry) => [entry.n, entry.ackedMs]));
  const possible: Set<number | null>[] = Array.from({ length: KEYS }, () => new Set([null]));
  const counts = { least: 0, most: 0 };
  for (const [index, n] of batches.entries()) {
    const ackedMs = acked.get(n);
    const isWhole = ackedMs !== undefined && (index < batches.length - 1 || ackedMs < requiredMs);
    counts.most += COUNTED;
    if (isWhole) counts.least += COUNTED;
    for (const key of keysOf(writer, n)) {
      if (isWhole) possible[key] = new Set([n]);
      else possible[key]?.add(n);
    }
  }
  const wrong = values.flatMap((value, key) => {
    const expected = possible[key] ?? new Set();
    return expected.has(value === null ? null : Number(value))
      ? []
      : [
          `${nameOfKey(writer, key)} is of ${nameOf({ writer, n: Number(value) })}, not of ${[...expected].join(' or ')}`,
        ];
  });
  if (counter >= counts.least && counter <= counts.most) return wrong;
  return [...wrong, `count:${writer} is ${counter}, not ${counts.least} to ${counts.most}`];
}
