/** One table as it was read: its rows in the order of the primary key, as a digest. */
export interface TableReading {
  readonly rows: number;
  readonly digest: string;
}

/** One key as it was read. */
export interface KeyReading {
  readonly type: string;
  readonly digest: string;
  /** Unix time in milliseconds; -1 for a key that stays. */
  readonly expiresAtMs: number;
}

export interface SequenceReading {
  /** Null before its first value. */
  readonly lastValue: number | null;
  readonly increment: number;
  /** Start, limits, cycle. */
  readonly shape: string;
}

/** All of both databases at one moment, as the demo read it by its own means. */
export interface Reading {
  readonly tables: ReadonlyMap<string, TableReading>;
  /** Everything that is not rows: columns, indexes, constraints, views, functions, owners, grants, comments. */
  readonly definitions: ReadonlyMap<string, string>;
  readonly sequences: ReadonlyMap<string, SequenceReading>;
  /** By database number and name. */
  readonly keys: ReadonlyMap<string, KeyReading>;
  readonly libraries: string;
  /** How far two readings of one expiry may be apart: 0 where the server tells the instant itself. */
  readonly expiryToleranceMs: number;
}

export interface Difference {
  readonly kind: 'table' | 'definition' | 'sequence' | 'key' | 'library';
  readonly name: string;
  /** `gone`, `was not there`, `was …, is …`. */
  readonly what: string;
}

export interface Comparison {
  readonly tables: number;
  readonly rows: number;
  readonly definitions: number;
  readonly keys: number;
  readonly keysWithExpiry: number;
  /** Each thing that is not as it was. */
  readonly differences: readonly Difference[];
}

/** How many values nextval() logs in advance: so far a sequence may have gone on after WAL was replayed (SEQ_LOG_VALS). */
export const LOGGED_AHEAD = 32;

/**
 * Holds what is there now against what was there before: nothing may be missing, changed or added. A sequence may stand
 * `sequenceLead` values further, never behind: a number that was given out is not given out again.
 */
export function compareReadings(before: Reading, now: Reading, { sequenceLead = 0 } = {}): Comparison {
  const toleranceMs = Math.max(before.expiryToleranceMs, now.expiryToleranceMs);
  const differences = [
    ...differing(before.tables, now.tables, { kind: 'table', describe: describeTable, isSame: isSameTable }),
    ...differing(before.definitions, now.definitions, {
      kind: 'definition',
      describe: (text) => text,
      isSame: Object.is,
    }),
    ...differing(before.sequences, now.sequences, {
      kind: 'sequence',
      describe: ({ lastValue }) => `at ${lastValue}`,
      isSame: (one, other) => isSameSequence(one, other, sequenceLead),
    }),
    ...differing(before.keys, now.keys, {
      kind: 'key',
      describe: describeKey,
      isSame: (one, other) => isSameKey(one, other, toleranceMs),
    }),
    ...(before.libraries === now.libraries ? [] : [LIBRARIES_CHANGED]),
  ];
  return {
    tables: before.tables.size,
    rows: [...before.tables.values()].reduce((sum, { rows }) => sum + rows, 0),
    definitions: before.definitions.size + before.sequences.size,
    keys: before.keys.size,
    keysWithExpiry: [...before.keys.values()].filter(({ expiresAtMs }) => expiresAtMs >= 0).length,
    differences,
  };
}

const LIBRARIES_CHANGED: Difference = { kind: 'library', name: 'function libraries', what: 'changed' };

/** `2 tables, 7 definitions, 130003 keys`. */
export function countDifferences(differences: readonly Difference[]): string {
  const nouns = {
    table: 'tables',
    definition: 'definitions',
    sequence: 'sequences',
    key: 'keys',
    library: 'function libraries',
  } as const;
  const counts = Object.entries(nouns).map(([kind, noun]) => ({
    noun,
    count: differences.filter((one) => one.kind === kind).length,
  }));
  return counts
    .filter(({ count }) => count > 0)
    .map(({ noun, count }) => `${count} ${noun}`)
    .join(', ');
}

interface Kind<T> {
  readonly kind: Difference['kind'];
  describe(thing: T): string;
  isSame(one: T, other: T): boolean;
}

function differing<T>(before: ReadonlyMap<string, T>, now: ReadonlyMap<string, T>, rule: Kind<T>): Difference[] {
  const { kind, describe, isSame } = rule;
  const found: Difference[] = [];
  for (const [name, was] of before) {
    const is = now.get(name);
    if (is === undefined) found.push({ kind, name, what: 'gone' });
    else if (!isSame(was, is)) found.push({ kind, name, what: `was ${describe(was)}, is ${describe(is)}` });
  }
  for (const name of now.keys()) {
    if (!before.has(name)) found.push({ kind, name, what: 'was not there' });
  }
  return found;
}

function isSameTable(one: TableReading, other: TableReading): boolean {
  return one.rows === other.rows && one.digest === other.digest;
}

function describeTable({ rows, digest }: TableReading): string {
  return `${rows} rows with digest ${digest.slice(0, 8)}`;
}

function isSameSequence(one: SequenceReading, other: SequenceReading, lead: number): boolean {
  if (one.shape !== other.shape || one.increment !== other.increment) return false;
  if (one.lastValue === null || other.lastValue === null) return one.lastValue === other.lastValue;
  const ahead = (other.lastValue - one.lastValue) / one.increment;
  return ahead >= 0 && ahead <= lead;
}

function isSameKey(one: KeyReading, other: KeyReading, toleranceMs: number): boolean {
  if (one.type !== other.type || one.digest !== other.digest) return false;
  // A key that stays and one that ends are never the same, however generous the tolerance.
  if (one.expiresAtMs < 0 || other.expiresAtMs < 0) return one.expiresAtMs === other.expiresAtMs;
  return Math.abs(one.expiresAtMs - other.expiresAtMs) <= toleranceMs;
}

function describeKey({ type, digest, expiresAtMs }: KeyReading): string {
  return `${type} ${digest.slice(0, 8)}, ${expiresAtMs < 0 ? 'without expiry' : `until ${new Date(expiresAtMs).toISOString()}`}`;
}
