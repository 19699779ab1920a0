import type { PlanRecordsInput, PlanRecordsResult } from '../contract/plan.ts';
import { control } from './support/activity-options.ts';

/** Reads what the repository keeps of plans: verifications, and reports of runs. Runs beside the group's lock. */
export async function planRecordsWorkflow(input: PlanRecordsInput): Promise<PlanRecordsResult> {
  const summary = input.ask === 'report' ? `report of ${input.runId ?? 'the newest run'}` : 'when plans were verified';
  return control('decide', summary).readPlanRecords(input);
}
