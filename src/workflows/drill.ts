import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { DrillEnd, DrillInput, DrillResult } from '../contract/drill.ts';
import { drillIdAt, type DrillOutcome, type DrillPlan } from '../domain/drill/drill.ts';
import { ERRORS, isErrorCode } from '../domain/errors.ts';
import { control, data } from './support/activity-options.ts';
import { takeBackupFirst } from './support/backup-first.ts';
import { cancellable } from './support/cancellation.ts';
import { failureOf, orCompensate } from './support/compensation.ts';
import { trackProgress, type WorkflowProgress } from './support/progress.ts';

/**
 * Rehearses a recovery: chooses a point, restores it into a scratch place, checks it, removes it, and leaves a report. Nothing live is touched, so
 * it runs beside the group's lock, under an id of its own: one drill at a time. Whatever a drill finds is its result; only a
 * cancellation, and what kept it from choosing a point or from leaving its report, is a failure.
 */
export async function drillWorkflow(input: DrillInput): Promise<DrillResult> {
  const { workflowId, runId } = workflowInfo();
  const { group, requestedBy } = input;
  const progress = trackProgress('recovery drill');
  return cancellable(progress, async () => {
    const request = input.backupFirst ? await afterBackup(progress, input) : input;
    const startedAt = new Date().toISOString();
    const drillId = drillIdAt(startedAt);
    const found = await drill(progress, request, drillId);

    progress.enter('reporting', 'judging what was found, and storing the report');
    const published = await control('settle', 'judge, and store the report').publishDrill({
      request: { group, requestedBy },
      drillId,
      workflowId,
      runId,
      startedAt,
      finishedAt: new Date().toISOString(),
      ...found,
    });
    progress.enter('done', published.report.verdict);
    return published;
  });
}

async function afterBackup(progress: WorkflowProgress, input: DrillInput): Promise<DrillInput> {
  progress.enter('backing up', 'taking the full backup that is drilled');
  const backup = await takeBackupFirst(input);
  return { ...input, choice: { how: 'given', backup, to: null } };
}

interface Found {
  readonly plan: DrillPlan | null;
  readonly outcome: DrillOutcome | null;
  readonly ended: DrillEnd | null;
}

async function drill(progress: WorkflowProgress, request: DrillInput, drillId: string): Promise<Found> {
  progress.enter('choosing', 'finding the point and what is restored for it');
  // Of the workflow's own source of chance: a replay draws the same.
  const draw = Math.random();
  const chosen = await ended(() => control('decide', 'choose the point').planDrill({ request, drillId, draw }));
  if ('error' in chosen) {
    if (isDamage(chosen.end)) return { plan: null, outcome: null, ended: chosen.end };
    throw chosen.error;
  }
  const plan = chosen.result;
  progress.concerns(plan.backupId);
  progress.note(`point ${plan.recoveryPoint.time}`);
  if (plan.notice != null) progress.note(plan.notice);

  progress.enter('rehearsing', `restoring ${plan.components.join(' and ')} into a scratch place`);
  const clear = {
    name: 'remove what a dead worker has left',
    run: async () => data('remove what a dead worker has left').clearDrills({ drillId }),
  };
  const { runId } = workflowInfo();
  const rehearsed = await ended(() =>
    orCompensate(progress, [clear], async () => data('restore, start, check, remove').rehearseDrill({ plan, runId })),
  );
  if ('error' in rehearsed) return { plan, outcome: null, ended: rehearsed.end };
  return { plan, outcome: rehearsed.result, ended: null };
}

type Ended<T> = { readonly result: T } | { readonly error: unknown; readonly end: DrillEnd };

/** What a step came to; its failure is something that was found out, a cancellation is not. */
async function ended<T>(step: () => Promise<T>): Promise<Ended<T>> {
  try {
    return { result: await step() };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { type = 'INTERNAL', message } = failureOf(error);
    return { error, end: { code: type, message } };
  }
}

/** What is damaged must leave a report, also where nothing could be chosen for it. */
function isDamage({ code }: DrillEnd): boolean {
  return isErrorCode(code) && ERRORS[code].exit === 4;
}
