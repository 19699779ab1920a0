/** What was written when: the oracle that a restore is held against. It shares nothing with the product. */

/** One transaction or batch: `n` counts up for each writer. Milliseconds since 1970. */
export interface Written {
  readonly writer: number;
  readonly n: number;
  readonly sentMs: number;
  /** Undefined where the answer never came: it may be there or not. */
  ackedMs: number | undefined;
}

export interface WriteLog {
  readonly entries: readonly Written[];
  send(writer: number, n: number): Written;
  /** Takes what another process says: a batch when it is sent, and the same again once it is acknowledged. */
  tell(written: Written): void;
}

export function createWriteLog(): WriteLog {
  const entries: Written[] = [];
  const told = new Map<string, Written>();
  return {
    entries,
    send(writer, n) {
      const entry: Written = { writer, n, sentMs: Date.now(), ackedMs: undefined };
      entries.push(entry);
      return entry;
    },
    tell(written) {
      const known = told.get(nameOf(written));
      if (known !== undefined) known.ackedMs = written.ackedMs;
      else entries.push(written);
      told.set(nameOf(written), known ?? written);
    },
  };
}

export const nameOf = ({ writer, n }: Pick<Written, 'writer' | 'n'>): string => `${writer}/${n}`;

/**
 * What is wrong with a state that is said to be that of `atMs`: all acknowledged before `requiredMs` must be there, nothing that
 * was sent after `atMs` may be, and nothing that was never sent.
 */
export function wrongAt(
  { entries }: WriteLog,
  found: ReadonlySet<string>,
  { atMs, requiredMs }: { readonly atMs: number; readonly requiredMs: number },
): string[] {
  const known = new Set(entries.map(nameOf));
  const missing = entries.filter(
    (entry) => entry.ackedMs !== undefined && entry.ackedMs < requiredMs && !found.has(nameOf(entry)),
  );
  const early = entries.filter((entry) => entry.sentMs > atMs && found.has(nameOf(entry)));
  return [
    ...missing.map((entry) => `missing ${nameOf(entry)}, acknowledged ${requiredMs - (entry.ackedMs ?? 0)} ms before`),
    ...early.map((entry) => `${nameOf(entry)} is there, sent ${entry.sentMs - atMs} ms later`),
    ...[...found].filter((name) => !known.has(name)).map((name) => `${name} was never written`),
  ];
}

/** How long before `atMs` the oldest was acknowledged that is not there; 0 where nothing is missing. */
export function lossMs({ entries }: WriteLog, found: ReadonlySet<string>, atMs: number): number {
  const lost = entries.filter(
    (entry) => entry.ackedMs !== undefined && entry.ackedMs < atMs && !found.has(nameOf(entry)),
  );
  return lost.reduce((most, { ackedMs = atMs }) => Math.max(most, atMs - ackedMs), 0);
}
