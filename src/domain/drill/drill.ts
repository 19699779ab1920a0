import type { Check, ComponentName, RecoveryPoint } from '../backup.ts';
import type { ReplayPlan } from '../replay.ts';

/** Nouns of a drill: a restore into a scratch place, checked, measured, reported and removed. Fields are added, never renamed. */

/** Which point a drill restores: the newest that can be had, one drawn by lot, or one that is named. */
export type DrillChoice =
  | { readonly how: 'newest' }
  | { readonly how: 'random' }
  | {
      readonly how: 'given';
      /** A backup id or `latest`. */
      readonly backup: string;
      /** An instant (ISO 8601); null for the backup's own point. */
      readonly to: { readonly time: string } | null;
    };

/** What a user's check is measured against. Of none, a command must exit with 0. */
export interface Expectation {
  readonly expected?: string;
  readonly min?: number;
  readonly max?: number;
}

/** A check of the configuration: one statement in the restored database, or a program that is told where the servers are. */
export type DrillCheck = { readonly name: string; readonly timeoutMs: number } & Expectation &
  ({ readonly sql: string } | { readonly command: readonly string[] });

/** Times and losses that a recovery is measured against, milliseconds; null where none is set. */
export interface Objectives {
  readonly rtoMs: number | null;
  readonly rpoMs: number | null;
}

/** What a drill restores, found out before anything is written. */
export interface DrillPlan {
  readonly drillId: string;
  readonly how: DrillChoice['how'];
  /** The backup that is restored, or the one that is replayed on. */
  readonly backupId: string;
  readonly recoveryPoint: RecoveryPoint;
  readonly components: readonly ComponentName[];
  /** Null for a backup as it is. */
  readonly replay: ReplayPlan | null;
  /** The newest instant that could be restored in all components when the drill began, ISO 8601. */
  readonly newestAt: string;
  /** Disk that the scratch place takes, an estimate from the sizes in the manifests. */
  readonly scratchBytes: number;
  /** Target that it is read from, instead of the repository; and why, where nobody asked for it. */
  readonly from?: string;
  readonly notice?: string | null;
}

/** One stretch of a drill, in milliseconds from its start. */
export interface DrillPhase {
  readonly name: string;
  /** Null for what concerns both. */
  readonly component: ComponentName | null;
  readonly startMs: number;
  readonly durationMs: number;
}

/** What became of a rehearsal that ran to its end, whatever it found. */
export interface DrillOutcome {
  readonly phases: readonly DrillPhase[];
  readonly checks: readonly Check[];
  /** From the start of this attempt until everything was back and checked. */
  readonly rtoMs: number;
  /** Components and configured checks that could not be tried, a sentence each: the drill is not complete without them. */
  readonly untried: readonly string[];
  /** Backups of which every stored object was read and sound: they are in the ledger of verifications. */
  readonly readWhole: readonly string[];
  /** Scratch places of drills that had died, which were removed on the way. */
  readonly orphansRemoved: number;
}

export type DrillVerdict = 'pass' | 'fail' | 'incomplete';

/** The report of a drill: what `report.json` holds. */
export interface DrillReport {
  readonly version: 1;
  readonly drillId: string;
  readonly group: string;
  readonly requestedBy: string;
  /** Workflow id and run id, for the history behind it. */
  readonly workflowId: string;
  readonly runId: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly verdict: DrillVerdict;
  /** Why it is no pass, a sentence each; empty for a pass. */
  readonly reasons: readonly string[];
  /** Null where no point could be chosen. */
  readonly point: Pick<DrillPlan, 'how' | 'backupId' | 'recoveryPoint' | 'components' | 'replay' | 'from'> | null;
  readonly phases: readonly DrillPhase[];
  readonly checks: readonly Check[];
  /** Null where nothing came back. */
  readonly rtoMs: number | null;
  /** What a loss of the servers at the start of the drill would have cost: the age of the newest point that could be restored. */
  readonly rpoMs: number | null;
  /** How far the restored point lies behind that newest point. */
  readonly behindNewestMs: number | null;
  readonly objectives: Objectives;
  readonly readWhole: readonly string[];
  /** When the next drill must have been done, ISO 8601; null where the configuration sets no interval. */
  readonly nextDueAt: string | null;
}

/** Where a report was stored. */
export interface StoredReport {
  /** Of `report.json` as it is stored, hex. */
  readonly sha256: string;
  /** URL of the folder in the store, without secrets. */
  readonly location: string;
}

/** One line of a list of drills. */
export interface DrillSummary extends Pick<
  DrillReport,
  'drillId' | 'startedAt' | 'finishedAt' | 'rtoMs' | 'rpoMs' | 'nextDueAt'
> {
  /** `damaged`: the report is not what was signed. */
  readonly verdict: DrillVerdict | 'damaged';
  readonly reasons: readonly string[];
  readonly backupId: string | null;
  readonly pointTime: string | null;
}

/** Drills of the repository, newest first, or the whole report of one. */
export interface DrillsKnown {
  readonly drills: readonly DrillSummary[];
  /** From the configuration of the worker, milliseconds; null where no drill is ever due. */
  readonly everyMs: number | null;
  readonly report?: { readonly report: DrillReport } & StoredReport;
}

/** Id of a drill that began at an instant (ISO 8601). */
export function drillIdAt(startedAt: string): string {
  return `drill-${startedAt.replace(/[:.]/g, '-')}`;
}
