import type { ComponentName } from '../../domain/backup.ts';
import { lsnOf } from '../../domain/lsn.ts';
import { JOURNAL_STATES, type JournalState } from '../../domain/journal-state.ts';
import { known, knownAt, oneOf, type Reading } from '../sample.ts';

/** What repository and server say of a journal. */
export interface JournalReading {
  readonly kind: ComponentName;
  readonly enabled: boolean;
  /** Why none is kept although journals are on. */
  readonly notKept?: string | null;
  readonly durable: { readonly at: string; readonly time: string } | null;
  readonly position: { readonly at: string } | null;
  readonly lagBytes: number | null;
  readonly problems: readonly unknown[];
  readonly slot: {
    readonly exists: boolean;
    readonly retainedBytes: number;
    readonly safeWalBytes: number | null;
  } | null;
}

/** Positions, lag, and what the server keeps for a journal: also where journals are off, for a slot fills the server's disk all the same. */
export function measureJournals(journals: readonly JournalReading[]): Reading[] {
  return journals.flatMap((journal) => {
    const { kind: component, durable, position, lagBytes, problems, slot } = journal;
    const isKept = journal.enabled && !journal.notKept;
    return [
      ...knownAt('lifeboat_journal_durable_timestamp_seconds', isKept && durable ? durable.time : null, { component }),
      ...known('lifeboat_journal_position_bytes', position && bytesOf(component, position.at), {
        component,
        end: 'server',
      }),
      ...known('lifeboat_journal_position_bytes', durable && bytesOf(component, durable.at), {
        component,
        end: 'durable',
      }),
      ...known('lifeboat_journal_lag_bytes', lagBytes, { component }),
      ...known('lifeboat_journal_problems', problems.length, { component }),
      ...known('lifeboat_slot_retained_bytes', slot?.exists ? slot.retainedBytes : null),
      ...known('lifeboat_slot_safe_bytes', slot?.exists ? slot.safeWalBytes : null),
    ];
  });
}

export function measureJournalStates(
  journals: readonly { readonly kind: ComponentName; readonly state: JournalState }[],
): Reading[] {
  return journals.flatMap(({ kind: component, state }) =>
    oneOf('lifeboat_journal_state', { label: 'state', names: JOURNAL_STATES, is: state, labels: { component } }),
  );
}

/** Exact to 2^53: eight petabytes of WAL. */
function bytesOf(component: ComponentName, at: string): number {
  return component === 'postgres' ? Number(lsnOf(at)) : Number(at);
}
