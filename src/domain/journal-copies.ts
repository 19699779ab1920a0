import type { JournalEntry, JournalEpoch, JournalKind } from './journal.ts';

/** How far the journals are at a target. */
export interface JournalCopyFacts {
  /** What is durable in the repository and not there yet, as seconds of the database's time; null without a journal. */
  readonly lagSeconds: number | null;
  /** Stored bytes of the repository's journals that are not there. */
  readonly bytesBehind: number;
  /** Instants that can be restored from the target alone, ISO 8601; null where only backups as they are can be had. */
  readonly window: { readonly from: string | null; readonly to: string | null };
}

/** The journals of one place. */
export type KeptJournals = Readonly<Record<JournalKind, readonly JournalEpoch[]>>;

const KINDS: readonly JournalKind[] = ['postgres', 'redis'];

/**
 * How far behind a target's journals are. Of several the one that is furthest behind counts, for a joint restore needs all of them.
 * @param isRemovedThere of an epoch that the target's own rules removed there: it is not behind
 */
export function compareJournals(
  own: KeptJournals,
  there: KeptJournals,
  isRemovedThere: (epoch: JournalEpoch) => boolean,
): Pick<JournalCopyFacts, 'lagSeconds' | 'bytesBehind'> {
  const lags = KINDS.map((kind) => lagMs(own[kind], there[kind])).filter((lag) => lag !== null);
  const present = new Set(KINDS.flatMap((kind) => entriesOf(there[kind])).map(({ key }) => key));
  const wanted = KINDS.flatMap((kind) => entriesOf(own[kind].filter((epoch) => !isRemovedThere(epoch))));
  return {
    lagSeconds: lags.length === 0 ? null : Math.round(Math.max(...lags) / 1_000),
    bytesBehind: wanted.reduce((sum, { key, storedBytes }) => sum + (present.has(key) ? 0 : storedBytes), 0),
  };
}

/** Null without a journal; all of it where the target has nothing. */
function lagMs(own: readonly JournalEpoch[], there: readonly JournalEpoch[]): number | null {
  const until = latest(own);
  if (until === null) return null;
  const reached = latest(there) ?? Math.min(...own.map(({ begin }) => begin.from.timeMs));
  return Math.max(0, until - reached);
}

function latest(epochs: readonly JournalEpoch[]): number | null {
  return epochs.length === 0 ? null : Math.max(...epochs.map(({ durable }) => durable.timeMs));
}

function entriesOf(epochs: readonly JournalEpoch[]): JournalEntry[] {
  return epochs.flatMap(({ entries }) => entries);
}
