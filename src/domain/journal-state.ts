import type { GapView } from './window-view.ts';

/**
 * `following`: all is well. `waiting`: it will go on by itself. `alarm`: somebody has to act. `stopped`: it should run and does
 * not. `disabled`: `journal.enabled` is off, or there is nothing to keep.
 */
export type JournalState = 'following' | 'waiting' | 'alarm' | 'stopped' | 'disabled';

export const JOURNAL_STATES: readonly JournalState[] = ['following', 'waiting', 'alarm', 'stopped', 'disabled'];

/** The run that keeps a journal, as Temporal knows it; null where none is open. */
export interface JournalRun {
  /** What the run itself says it is in: `following`, `alarm`. */
  readonly phase: string | null;
  /** In its own words, in an alarm. */
  readonly details: string | null;
  readonly activity: {
    readonly state: 'running' | 'queued' | 'backing-off';
    readonly attempt: number;
    readonly lastFailure: string | null;
  } | null;
}

/** What of a journal's facts its state hangs on. */
export interface JournalSymptoms {
  readonly enabled: boolean;
  /** Why none is kept although journals are on. */
  readonly notKept?: string | null;
  readonly flushSeconds: number;
  /** Age of what is durable; null where nothing is. */
  readonly lagSeconds: number | null;
  readonly slot: { readonly exists: boolean; readonly walStatus: string | null } | null;
  readonly gaps: readonly Pick<GapView, 'to' | 'code' | 'message' | 'from'>[];
  readonly problems: readonly unknown[];
}

export interface JournalCondition {
  readonly state: JournalState;
  /** Null where all is well. */
  readonly reason: string | null;
}

/** A journal that is so many flush intervals behind is more than a little late. */
const LATE_FLUSHES = 6;
/** However short they are: a worker that died is replaced within this time. */
const LATE_MIN_SECONDS = 45;

/** A worker with another configuration has it still. */
const KEPT_STILL =
  'journal.enabled is false, and a run keeps it still: a worker of the role `control` ends it when it starts';

/** How a journal is, and why. The worst that can be said comes first. */
export function judgeJournal(symptoms: JournalSymptoms, run: JournalRun | null): JournalCondition {
  if (symptoms.enabled && symptoms.notKept) return { state: 'disabled', reason: symptoms.notKept };
  if (run === null) {
    if (!symptoms.enabled) return judgeDisabled(symptoms);
    return { state: 'stopped', reason: 'no run keeps it: a worker begins one when it starts' };
  }
  if (!symptoms.enabled) return { state: 'alarm', reason: KEPT_STILL };
  const alarm = alarmOf(symptoms, run);
  if (alarm !== null) return { state: 'alarm', reason: alarm };
  const { activity } = run;
  if (activity === null) return { state: 'waiting', reason: 'it is being handed over' };
  if (activity.state === 'running') return { state: 'following', reason: null };
  const after = activity.lastFailure === null ? 'no worker has taken it yet' : `attempt ${activity.attempt} follows`;
  return { state: 'waiting', reason: [after, activity.lastFailure].filter((part) => part !== null).join(', after: ') };
}

/** A slot that nobody follows fills the disk of the server, which then stops. */
function judgeDisabled({ slot }: JournalSymptoms): JournalCondition {
  const reason = 'journal.enabled is false';
  if (!slot?.exists) return { state: 'disabled', reason };
  const kept = 'the server keeps WAL for its slot, without end';
  return { state: 'alarm', reason: `${reason}, and ${kept}: drop it with pg_drop_replication_slot` };
}

function alarmOf({ slot, problems, gaps, ...lag }: JournalSymptoms, run: JournalRun): string | null {
  if (run.phase === 'alarm') return run.details ?? 'it cannot go on';
  if (slot?.walStatus === 'lost') return 'its replication slot is lost: the server has removed WAL that it needs';
  if (slot?.walStatus === 'unreserved') return 'the server is about to remove WAL that it needs';
  if (problems.length > 0) return `${problems.length} of its files are damaged or missing`;
  const { lagSeconds, flushSeconds } = lag;
  if (lagSeconds !== null && lagSeconds > Math.max(LATE_MIN_SECONDS, LATE_FLUSHES * flushSeconds)) {
    const cause = run.activity?.lastFailure;
    return `nothing new is durable for ${Math.round(lagSeconds)} s${cause ? `: ${cause}` : ''}`;
  }
  const open = gaps.find(({ to }) => to === null);
  if (open === undefined) return null;
  return `nothing after ${open.from} can be restored until a full backup is taken: ${open.message}`;
}
