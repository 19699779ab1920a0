/** An operation that has ended, as Temporal knows it. */
export interface EndedRun {
  readonly workflowId: string;
  readonly runId: string;
  /** Value of LifeboatKind: `full`, `restore`, `copy`. */
  readonly kind: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly end: 'completed' | 'failed' | 'timed-out' | 'terminated' | 'cancelled';
  /** Of a failed one, as its worker gave them; else empty. */
  readonly code: string;
  readonly message: string;
  /** One line about it. */
  readonly summary: string;
  /** Of a verification that was completed. */
  readonly verification: { readonly verified: readonly string[]; readonly problems: readonly FoundProblem[] } | null;
}

export interface FoundProblem {
  /** What was read: the id of a backup, `journals/postgres`. */
  readonly about: string;
  readonly message: string;
}

/** An operation that changes live data and has not ended. */
export interface OpenRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly kind: string;
  readonly startedAt: string;
  /** One line about it. */
  readonly summary: string;
}

/** A run of a recovery plan that somebody has to do something for. */
export interface WaitingRun {
  readonly id: string;
  readonly planName: string;
  readonly startedAt: string;
  /** A sentence each. */
  readonly waitsFor: readonly string[];
}

export interface RunsSeen {
  /** Oldest first; those that ended since the time that was asked for. */
  readonly ended: readonly EndedRun[];
  readonly open: readonly OpenRun[];
  readonly waiting: WaitingRun | null;
}

/** A run that ended badly, the newest of its operation. */
export interface Outcome extends Omit<EndedRun, 'verification' | 'summary'> {
  /** Names the operation: its kind, and the target where there is one. */
  readonly operation: string;
}

/** What the newest verification of something has found. */
export interface Damage {
  readonly about: string;
  readonly problems: number;
  /** The first of them. */
  readonly message: string;
  readonly foundAt: string;
  readonly workflowId: string;
}

/** What is kept of runs from one look to the next; Temporal forgets them after its retention. */
export interface RunMemory {
  /** Runs that ended before are known; ISO 8601. */
  readonly since: string;
  /** Ids of runs that ended since then and were looked at: they are listed late, and so looked for with an overlap. */
  readonly seen: readonly string[];
  readonly outcomes: readonly Outcome[];
  readonly damage: readonly Damage[];
}

/** Kinds that are asked for by a person, for once: nobody will run them again only to end an alert. */
const ONCE = ['restore', 'undo', 'directory', 'plan', 'failover', 'rewrap', 'drill', 'evaluation', 'hold'];
/** How long the failure of one of those is shown. */
const ONCE_SHOWN_MS = 24 * 3_600_000;
/** How much later than it ended a run may be listed. */
const OVERLAP_MS = 10 * 60_000;
/** More than end in that time. */
const MAX_SEEN = 500;
/** Backups and journals that are named one by one. */
const MAX_DAMAGE = 50;

/** `copy/eu-west`, `full`: targets fail each for themselves. */
export function operationOf({ kind, workflowId }: Pick<EndedRun, 'kind' | 'workflowId'>): string {
  const target = /^lifeboat\/[^/]+\/(?:copy|cleanup\/target)\/([^/]+)/.exec(workflowId)?.[1];
  return target === undefined ? kind : `${kind}/${target}`;
}

export const isOnce = (operation: string): boolean => ONCE.includes(operation);

/** What is known after a look. A success ends the failure before it; a full backup also that of an incremental one. */
export function rememberRuns(memory: RunMemory, ended: readonly EndedRun[], nowMs: number): RunMemory {
  const since = new Date(nowMs - OVERLAP_MS).toISOString();
  const fresh = ended.filter(({ runId }) => !memory.seen.includes(runId));
  return {
    since: since > memory.since ? since : memory.since,
    seen: [...memory.seen, ...fresh.map(({ runId }) => runId)].slice(-MAX_SEEN),
    outcomes: outcomesAfter(memory.outcomes, fresh).filter((outcome) => !isForgotten(outcome, nowMs)),
    damage: damageAfter(memory.damage, fresh),
  };
}

function outcomesAfter(before: readonly Outcome[], fresh: readonly EndedRun[]): Outcome[] {
  const byOperation = new Map(before.map((outcome) => [outcome.operation, outcome]));
  for (const { verification: _found, summary: _line, ...run } of fresh) {
    // Whoever cancels knows what he does: it says nothing of the operation.
    if (run.end === 'cancelled') continue;
    const operation = operationOf(run);
    byOperation.delete(operation);
    if (run.kind === 'full' && run.end === 'completed') byOperation.delete('incremental');
    if (run.end !== 'completed') byOperation.set(operation, { ...run, operation });
  }
  return [...byOperation.values()];
}

/** What was read back and found sound is no longer damaged. */
function damageAfter(before: readonly Damage[], fresh: readonly EndedRun[]): Damage[] {
  const byPlace = new Map(before.map((damage) => [damage.about, damage]));
  for (const { verification, endedAt: foundAt, workflowId } of fresh) {
    for (const about of verification?.verified ?? []) byPlace.delete(about);
    for (const { about, message } of verification?.problems ?? []) {
      const earlier = byPlace.get(about);
      const isOfThisRun = earlier?.workflowId === workflowId;
      const problems = isOfThisRun ? earlier.problems + 1 : 1;
      byPlace.set(about, { about, problems, message: isOfThisRun ? earlier.message : message, foundAt, workflowId });
    }
  }
  return [...byPlace.values()].slice(-MAX_DAMAGE);
}

function isForgotten({ operation, endedAt }: Outcome, nowMs: number): boolean {
  return isOnce(operation) && nowMs - Date.parse(endedAt) > ONCE_SHOWN_MS;
}
