import type { DrillControl, DrillEnd, DrillResult } from '../../contract/drill.ts';
import type { Check } from '../../domain/backup.ts';
import type { DrillReport } from '../../domain/drill/drill.ts';
import { judgeDrill, measure, objectiveChecks } from '../../domain/drill/judge.ts';
import { renderDrillReport } from '../../domain/drill/report-html.ts';
import { ERRORS, isErrorCode } from '../../domain/errors.ts';
import type { Dependencies } from '../dependencies.ts';

type Input = Parameters<DrillControl['publishDrill']>[0];

/** Judges what was found, and stores it as JSON and as a page, in the repository itself. */
export async function publishDrill(deps: Dependencies, input: Input): Promise<DrillResult> {
  const report = reportOf(deps, input);
  const { reports } = await deps.repository();
  const stored = await reports.keep(report, (sha256) => renderDrillReport(report, sha256));
  return { report, ...stored };
}

function reportOf({ settings }: Dependencies, input: Input): DrillReport {
  const { request, drillId, workflowId, runId, startedAt, finishedAt, plan, outcome } = input;
  const { objectives, everyMs } = settings.drill;
  const measured = measure(plan, outcome, startedAt);
  const { phases = [], checks: found = [], untried = [], readWhole = [] } = outcome ?? {};
  const { damaged, interrupted } = endOf(input);
  const checks = [...found, ...damaged, ...objectiveChecks(measured, objectives)];
  return {
    version: 1,
    drillId,
    group: request.group,
    requestedBy: request.requestedBy,
    workflowId,
    runId,
    startedAt,
    finishedAt,
    ...judgeDrill({ checks, untried, interrupted }),
    point: plan && pointOf(plan),
    phases,
    checks,
    ...measured,
    objectives,
    readWhole,
    nextDueAt: everyMs === null ? null : new Date(Date.parse(finishedAt) + everyMs).toISOString(),
  };
}

function pointOf(plan: NonNullable<Input['plan']>): DrillReport['point'] {
  const { how, backupId, recoveryPoint, components, replay, from } = plan;
  return { how, backupId, recoveryPoint, components, replay, ...(from === undefined ? {} : { from }) };
}

/** What could not be read because it is damaged is a finding, however often it was tried; anything else interrupted the drill. */
function endOf({ ended }: Input): { readonly damaged: readonly Check[]; readonly interrupted: string | null } {
  if (ended === null) return { damaged: [], interrupted: null };
  const { code, message } = ended;
  if (isErrorCode(code) && ERRORS[code].exit === 4) return { damaged: [damage(ended)], interrupted: null };
  return { damaged: [], interrupted: `${message} (${code})` };
}

function damage({ code, message }: DrillEnd): Check {
  return {
    name: 'what is stored',
    status: 'fail',
    expected: 'restorable',
    actual: code,
    message: `${message} (${code})`,
  };
}
