import type { DrillSummary } from './drill.ts';

/** How a group stands with its drills. */
export interface DrillState {
  readonly last: Pick<DrillSummary, 'drillId' | 'finishedAt' | 'verdict' | 'reasons' | 'rtoMs' | 'rpoMs'> | null;
  /** When the next one must have been done, ISO 8601; null where none is ever due, or none was done yet. */
  readonly dueAt: string | null;
  /** None was done in time. One that was not complete has proven nothing, and puts nothing off. */
  readonly overdue: boolean;
}

/**
 * @param drills newest first
 * @param everyMs as configured now; null: none is ever due
 */
export function drillState(drills: readonly DrillSummary[], everyMs: number | null, nowMs: number): DrillState {
  const [newest] = drills;
  const done = drills.find(({ verdict }) => verdict === 'pass' || verdict === 'fail');
  const dueMs = everyMs === null || done === undefined ? null : Date.parse(done.finishedAt) + everyMs;
  const overdue = everyMs !== null && (dueMs === null || nowMs > dueMs);
  return {
    last: newest === undefined ? null : summaryOf(newest),
    dueAt: dueMs === null ? null : new Date(dueMs).toISOString(),
    overdue,
  };
}

function summaryOf({ drillId, finishedAt, verdict, reasons, rtoMs, rpoMs }: DrillSummary): DrillState['last'] {
  return { drillId, finishedAt, verdict, reasons, rtoMs, rpoMs };
}
