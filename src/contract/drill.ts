import type { DrillChoice, DrillOutcome, DrillPlan, DrillReport, StoredReport } from '../domain/drill/drill.ts';
import type { Requested } from './messages.ts';

export interface DrillInput extends Requested {
  readonly choice: DrillChoice;
  /** Take a full backup first, under the group's lock, and drill that one; `choice` is not used then. */
  readonly backupFirst: boolean;
  /** Target that it is read from, instead of the repository. */
  readonly fromTarget?: string;
}

export interface DrillResult extends StoredReport {
  readonly report: DrillReport;
}

/** Why a drill ended before it had found anything out: an error as the worker gave it. */
export interface DrillEnd {
  readonly code: string;
  readonly message: string;
}

/** Short steps of a drill; task queue `control`. */
export interface DrillControl {
  /** Chooses the point and finds what is restored; writes nothing. `draw` decides a choice by lot. */
  planDrill(input: { request: DrillInput; drillId: string; draw: number }): Promise<DrillPlan>;
  /** Judges, and stores the report. Repeated with the same facts it gives the same report. */
  publishDrill(input: {
    request: Pick<DrillInput, 'group' | 'requestedBy'>;
    drillId: string;
    workflowId: string;
    runId: string;
    startedAt: string;
    finishedAt: string;
    plan: DrillPlan | null;
    outcome: DrillOutcome | null;
    ended: DrillEnd | null;
  }): Promise<DrillResult>;
}

/** Long ones; task queue `data`. */
export interface DrillData {
  /** Restores, starts, checks, removes. A second run begins again in a place of its own. */
  rehearseDrill(input: { plan: DrillPlan; runId: string }): Promise<DrillOutcome>;
  /** Removes what drills have left on this host whose worker is dead. */
  clearDrills(input: { drillId: string }): Promise<{ removed: readonly string[] }>;
}
