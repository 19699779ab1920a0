import { formatDuration } from '../duration.ts';
import { patienceOf, type ScheduleDefinition } from './schedule.ts';

/** How one run of a schedule ended. `unknown`: Temporal keeps it no more. */
export type ScheduledOutcome = 'running' | 'done' | 'alarm' | 'skipped' | 'failed' | 'cancelled' | 'unknown';

export interface ScheduledRun {
  readonly workflowId: string;
  readonly runId: string;
  /** ISO 8601; the time that the schedule named, and the time at which it began. */
  readonly scheduledAt: string;
  readonly startedAt: string;
  readonly outcome: ScheduledOutcome;
  /** One sentence; empty where nothing more is known. */
  readonly message: string;
}

/**
 * `active`; `paused`: by a person; `not-applied`: not in Temporal yet, `outdated`: in Temporal as it was configured before; `off`: switched off;
 * `stray`: in Temporal, and no longer configured. `lifeboat schedule apply` brings the last four about.
 */
export type ScheduleState = 'active' | 'paused' | 'off' | 'not-applied' | 'outdated' | 'stray';

/** What Temporal says of a schedule. */
export interface ScheduleFacts {
  readonly state: ScheduleState;
  /** Why it is paused, or what was said when it was resumed. */
  readonly note: string | null;
  /** ISO 8601; null where it is not in Temporal. */
  readonly createdAt: string | null;
  readonly nextRuns: readonly string[];
  /** Newest first; some of the last. */
  readonly recentRuns: readonly ScheduledRun[];
  /** Since it was created: runs that Temporal was away for until their period was over. */
  readonly missed: number;
  /** Since it was created: runs that were left out because the one before was still going on. */
  readonly overlapped: number;
}

export interface ScheduleStatus extends ScheduleFacts {
  readonly name: string;
  /** What it starts; null of a stray one. */
  readonly type: string | null;
  readonly definition: ScheduleDefinition | null;
  /** The newest run that came to its end, also where what it found is an alarm. */
  readonly lastDone: ScheduledRun | null;
  readonly problems: readonly ScheduleProblem[];
}

export interface ScheduleProblem {
  readonly schedule: string;
  /**
   * `failed`, `skipped`, `alarm`: of the newest run that has ended; `overdue`: none has come to its end in time; `missed`, `overlapped`: counted
   * since the schedule was created, so that only a rise is news; `not-applied`: Temporal does not have it as it is configured.
   */
  readonly kind: 'failed' | 'skipped' | 'alarm' | 'overdue' | 'missed' | 'overlapped' | 'not-applied';
  readonly message: string;
  readonly count: number;
}

/** Those that are over once the next run is good; the others are counts, and stay. */
export function isStanding({ kind }: Pick<ScheduleProblem, 'kind'>): boolean {
  return kind !== 'missed' && kind !== 'overlapped';
}

/** Joins what is configured with what Temporal says. `definition` null: nothing of that name is configured. */
export function judgeSchedule(
  name: string,
  definition: ScheduleDefinition | null,
  { facts, nowMs }: { readonly facts: ScheduleFacts; readonly nowMs: number },
): ScheduleStatus {
  const lastDone = facts.recentRuns.find(({ outcome }) => outcome === 'done' || outcome === 'alarm') ?? null;
  const type = definition?.work.type ?? null;
  const seen = { ...facts, name, type, definition, lastDone };
  return { ...seen, problems: problemsOf(seen, nowMs) };
}

type Seen = Omit<ScheduleStatus, 'problems'>;

function problemsOf(seen: Seen, nowMs: number): ScheduleProblem[] {
  const { state, missed, overlapped, name } = seen;
  if (state === 'off' || state === 'stray') return [];
  const found = (kind: ScheduleProblem['kind'], message: string, count = 1): ScheduleProblem => ({
    schedule: name,
    kind,
    message,
    count,
  });
  const since = `since ${seen.createdAt ?? ''}`;
  return [
    ...(state === 'not-applied' ? [found('not-applied', 'it is configured, and not in Temporal yet')] : []),
    ...(state === 'outdated' ? [found('not-applied', 'Temporal has it as it was configured before')] : []),
    ...endedBadly(seen).map(({ outcome, message }) => found(outcome, message)),
    ...overdueSince(seen, nowMs).map((message) => found('overdue', message)),
    ...(missed > 0 ? [found('missed', `${missed} runs were missed ${since}: Temporal was away`, missed)] : []),
    ...(overlapped > 0
      ? [found('overlapped', `${overlapped} runs were left out ${since}: the one before still went on`, overlapped)]
      : []),
  ];
}

interface EndedBadly {
  readonly outcome: 'failed' | 'skipped' | 'alarm';
  readonly message: string;
}

/** The newest run that has ended counts: what a later one has made good is over. */
function endedBadly({ recentRuns }: Seen): readonly EndedBadly[] {
  const ended = recentRuns.find(({ outcome }) => outcome !== 'running' && outcome !== 'unknown');
  if (ended === undefined) return [];
  const { outcome, startedAt, message } = ended;
  const said = `${outcome} at ${startedAt}${message === '' ? '' : `: ${message}`}`;
  if (outcome === 'cancelled') return [{ outcome: 'failed', message: said }];
  return outcome === 'failed' || outcome === 'skipped' || outcome === 'alarm' ? [{ outcome, message: said }] : [];
}

/** What a run may take is not known: one that goes on puts it off, as long as it was begun in time. */
function overdueSince({ state, definition, recentRuns, createdAt }: Seen, nowMs: number): readonly string[] {
  if (state !== 'active' || definition === null || createdAt === null) return [];
  const counted = recentRuns.find(
    ({ outcome }) => outcome !== 'failed' && outcome !== 'skipped' && outcome !== 'cancelled',
  );
  const since = counted?.startedAt ?? createdAt;
  const allowedMs = definition.periodMs.longest + definition.jitterMs + patienceOf(definition);
  if (nowMs - Date.parse(since) <= allowedMs) return [];
  const what = counted === undefined ? `none has come to its end since it was made at ${since}` : `none since ${since}`;
  return [`${what}; one is due every ${formatDuration(definition.periodMs.longest)}`];
}
