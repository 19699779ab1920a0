import { ERRORS, isErrorCode } from '../errors.ts';
import type { Alert } from './alert.ts';
import type { AlertFacts } from './alert-facts.ts';
import { makeAlert } from './make-alert.ts';
import { type Damage, type EndedRun, isOnce, type OpenRun, type Outcome, type WaitingRun } from './runs-seen.ts';

/** Exit codes of what was refused before anything was done: usage, not found, busy, denied. */
const REFUSALS: readonly number[] = [2, 5, 6, 8];
/** Kinds that change live data. */
export const RECOVERY_KINDS: readonly string[] = ['restore', 'undo', 'plan', 'failover'];
/** Kinds whose good end somebody may want to hear of. */
const TOLD_KINDS: readonly string[] = ['full', 'incremental', 'cleanup', 'verify', 'drill'];

/** What operations say: those that ended badly, those that change live data, and those that wait for a person. */
export function judgeRuns({ fresh, outcomes, damage, open, waiting }: NonNullable<AlertFacts['runs']>): Alert[] {
  return [
    ...outcomes.flatMap(judgeOutcome),
    ...damage.map(judgeDamage),
    ...open.filter(({ kind }) => RECOVERY_KINDS.includes(kind)).map(running),
    ...fresh.filter(({ kind }) => RECOVERY_KINDS.includes(kind)).map(wasRunning),
    ...fresh.filter(isGoodEnd).map(succeeded),
    ...(waiting === null ? [] : [waitsForPerson(waiting)]),
  ];
}

function isGoodEnd({ kind, end, verification }: EndedRun): boolean {
  return TOLD_KINDS.includes(kind) && end === 'completed' && (verification?.problems.length ?? 0) === 0;
}

function judgeDamage({ about, problems, message, foundAt, workflowId }: Damage): Alert {
  const more = problems === 1 ? '' : `, and ${problems - 1} more`;
  const facts = { about, workflow: workflowId, at: foundAt };
  return makeAlert('verification-problem', about, { summary: `${about}: ${message}${more}`, since: foundAt, facts });
}

function judgeOutcome(outcome: Outcome): Alert[] {
  const { operation, end, endedAt, workflowId, runId, code, message } = outcome;
  // Somebody who asks for what cannot be is told so at once, and nobody else has to hear of it.
  if (end === 'completed' || (isOnce(operation) && isRefusal(code))) return [];
  const what = `${describeKind(outcome)} ${ENDS[end]}`;
  return [
    makeAlert('operation-failed', operation, {
      summary: message === '' ? what : `${what}: ${message}`,
      since: endedAt,
      facts: { operation, workflow: workflowId, run: runId, at: endedAt, ...(code === '' ? {} : { code }) },
      severity: isOnce(operation) || CRITICAL.includes(outcome.kind) ? 'critical' : 'warning',
      ...(isErrorCode(code) ? { hint: ERRORS[code].hint } : {}),
    }),
  ];
}

/** Without these nothing new can be restored. */
const CRITICAL: readonly string[] = ['full', 'incremental', 'verify'];

const ENDS = {
  failed: 'failed',
  'timed-out': 'used up its time',
  terminated: 'was terminated',
  cancelled: 'was cancelled',
} as const;

function isRefusal(code: string): boolean {
  return isErrorCode(code) && REFUSALS.includes(ERRORS[code].exit);
}

function running({ workflowId, runId, kind, startedAt, summary }: OpenRun): Alert {
  return makeAlert('recovery-running', runId, {
    summary: `${describeKind({ kind, workflowId })} runs: ${summary}`,
    since: startedAt,
    facts: { workflow: workflowId, run: runId, startedAt },
  });
}

/** Ends the alert of the run; where it came and went between two looks it is told once. */
function wasRunning({ workflowId, runId, kind, startedAt, endedAt, end, summary }: EndedRun): Alert {
  return makeAlert('recovery-running', runId, {
    summary: `${describeKind({ kind, workflowId })} ${end === 'completed' ? 'has ended' : ENDS[end]}: ${summary}`,
    since: startedAt,
    facts: { workflow: workflowId, run: runId, startedAt, endedAt, end },
    isOver: true,
  });
}

function succeeded({ workflowId, runId, kind, startedAt, endedAt }: EndedRun): Alert {
  return makeAlert('operation-succeeded', runId, {
    summary: `${describeKind({ kind, workflowId })} has ended well`,
    since: startedAt,
    facts: { workflow: workflowId, run: runId, startedAt, endedAt },
    isOver: true,
  });
}

function waitsForPerson({ id, planName, startedAt, waitsFor }: WaitingRun): Alert {
  return makeAlert('run-waits', id, {
    summary: `recovery plan ${planName} waits: ${waitsFor.join('; ')}`,
    since: startedAt,
    facts: { run: id, startedAt },
  });
}

const WORDS: Readonly<Record<string, string>> = {
  full: 'full backup',
  incremental: 'incremental backup',
  verify: 'verification',
  plan: 'recovery plan',
  directory: 'restore into a directory',
  rewrap: 'rewrapping of keys',
  undo: 'undo of a restore',
};

function describeKind({ kind, workflowId }: Pick<EndedRun, 'kind' | 'workflowId'>): string {
  const target = /\/(?:copy|target)\/([^/]+)/.exec(workflowId)?.[1];
  const word = WORDS[kind] ?? kind;
  if (target === undefined) return word;
  return kind === 'copy' ? `copy to ${target}` : `${word} at ${target}`;
}
