import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';
import type { CleanupInput, CleanupResult } from '../../contract/cleanup.ts';
import type { DrillInput, DrillResult } from '../../contract/drill.ts';
import type { BackupInput, BackupResult, Requested } from '../../contract/messages.ts';
import { besideWorkflowId, drillWorkflowId, groupWorkflowId, WORKFLOWS } from '../../contract/names.ts';
import type { EvaluatePlansResult, ScheduledInput, ScheduledResult } from '../../contract/schedule.ts';
import type { VerifyOldestInput, VerifyOldestResult } from '../../contract/verification.ts';
import { unreachable } from '../../domain/unreachable.ts';
import { WORK_NAMES } from '../../domain/schedule/schedule.ts';

/** An operation as it is started, and what is made of its result. */
export interface ScheduledOperation {
  readonly workflow: (typeof WORKFLOWS)[keyof typeof WORKFLOWS];
  readonly workflowId: string;
  /** The value of LifeboatKind. */
  readonly kind: string;
  readonly input: Requested;
  readonly summary: string;
  readonly makesBackup: boolean;
  settle(result: unknown): Found;
}

type Found = Omit<ScheduledResult, 'attempts'>;
type Work = Pick<ScheduledOperation, 'workflow' | 'workflowId' | 'kind' | 'input' | 'settle'>;

/** The operation that a person would start with the command of the same name. */
export function scheduledOperation(input: ScheduledInput): ScheduledOperation {
  const { schedule, work } = input;
  const makesBackup = work.type === 'full' || work.type === 'incremental';
  return { ...operationOf(input), makesBackup, summary: `${WORK_NAMES[work.type]}, by the schedule ${schedule}` };
}

function operationOf({ group, requestedBy, schedule, work }: ScheduledInput): Work {
  const asked = { group, requestedBy };
  switch (work.type) {
    case 'full':
    case 'incremental': {
      const label = { schedule, ...period() };
      const input: BackupInput = { ...asked, kind: work.type, components: 'configured', label, hold: null };
      const workflowId = groupWorkflowId(group);
      return { workflow: WORKFLOWS.backup, workflowId, kind: work.type, input, settle: settleBackup };
    }
    case 'cleanup': {
      const input: CleanupInput = { ...asked, dryRun: false };
      const workflowId = groupWorkflowId(group);
      return { workflow: WORKFLOWS.cleanup, workflowId, kind: 'cleanup', input, settle: settleCleanup };
    }
    case 'verify': {
      const input: VerifyOldestInput = { ...asked, budget: work.budget };
      const workflowId = besideWorkflowId(group, 'verify', 'oldest');
      return { workflow: WORKFLOWS.verifyOldest, workflowId, kind: 'verify', input, settle: settleVerify };
    }
    case 'drill': {
      const input: DrillInput = { ...asked, choice: { how: work.point }, backupFirst: false };
      const workflowId = drillWorkflowId(group);
      return { workflow: WORKFLOWS.drill, workflowId, kind: 'drill', input, settle: settleDrill };
    }
    case 'evaluate': {
      const workflowId = besideWorkflowId(group, 'plan', 'evaluation');
      const settle = settleEvaluation;
      return { workflow: WORKFLOWS.evaluatePlans, workflowId, kind: 'evaluation', input: asked, settle };
    }
  }
  return unreachable(work);
}

const SCHEDULED_TIME = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

/** The time that the schedule named, which Temporal puts on a run that it starts. */
function period(): { readonly period?: string } {
  const named = workflowInfo().typedSearchAttributes.get(SCHEDULED_TIME);
  return named === undefined ? {} : { period: named.toISOString() };
}

// What a child answers is what its workflow is declared to give.
function settleBackup(result: unknown): Found {
  const { backup, warnings } = result as BackupResult;
  const { id, kind } = backup;
  return { outcome: 'done', message: [`${kind} ${id}`, ...warnings].join('; '), backupId: id };
}

function settleCleanup(result: unknown): Found {
  const { plan, locked = [] } = result as CleanupResult;
  const left = locked.length === 0 ? '' : `; ${locked.length} kept by the store until a lock is over`;
  const removed = `${plan.hide.backups.length} backups removed, ${plan.freedBytes} bytes freed${left}`;
  return { outcome: 'done', message: [removed, ...plan.warnings].join('; '), backupId: null };
}

function settleVerify(result: unknown): Found {
  const { verified, problems, remaining } = result as VerifyOldestResult;
  const read = `${verified.length} read back, ${remaining} left for later`;
  const [first] = problems;
  if (first === undefined) return { outcome: 'done', message: read, backupId: null };
  const message = `${problems.length} problems, the first of ${first.backupId}: ${first.message}; ${read}`;
  return { outcome: 'alarm', message, backupId: null };
}

function settleDrill(result: unknown): Found {
  const { report } = result as DrillResult;
  const { drillId, verdict, reasons } = report;
  const outcome = verdict === 'pass' ? 'done' : 'alarm';
  return { outcome, message: [`${drillId} ${verdict}`, ...reasons].join(': '), backupId: null };
}

function settleEvaluation(result: unknown): Found {
  const { plans } = result as EvaluatePlansResult;
  const wanting = plans.filter(({ state }) => state === 'action-required');
  if (wanting.length === 0) {
    return { outcome: 'done', message: `${plans.length} plans, nothing in the way of any`, backupId: null };
  }
  const named = wanting.map(({ planId, findings }) => `${planId}: ${findings[0]?.message ?? ''}`);
  return { outcome: 'alarm', message: named.join('; '), backupId: null };
}
