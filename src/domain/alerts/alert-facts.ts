import type { DrillState } from '../drill/drill-state.ts';
import type { JournalState } from '../journal-state.ts';
import type { PlanState } from '../plan/plan-state.ts';
import type { RecoveryPointAges } from '../recovery-point-age.ts';
import type { ScheduleProblem } from '../schedule/schedule-health.ts';
import type { TargetFacts } from '../target-facts.ts';
import type { AlertKind } from './alert-kinds.ts';
import type { Damage, EndedRun, OpenRun, Outcome, WaitingRun } from './runs-seen.ts';

/** From when on something is too old, too slow or too full. */
export interface AlertRules {
  readonly backupAgeMs: number;
  readonly journalLagMs: number;
  readonly replicationLagMs: number;
  readonly slotWalBytes: number;
  /** Free share of a folder, percent. */
  readonly freeSpace: { readonly warning: number; readonly critical: number };
  /** Null: no objective is set. */
  readonly rpoMs: number | null;
}

/** When and to whom alerts are told. */
export interface TellingRules {
  readonly remindEveryMs: number;
  readonly reminders: number;
  /** Kinds that are listed and not told. */
  readonly quiet: readonly AlertKind[];
  readonly channels: readonly { readonly name: string; readonly events: readonly string[] }[];
}

/** A journal, as far as alerts go. */
export interface JournalSeen {
  readonly kind: 'postgres' | 'redis';
  readonly state: JournalState;
  readonly reason: string | null;
  readonly lagSeconds: number | null;
  readonly flushSeconds: number;
  readonly openGap: { readonly from: string; readonly message: string } | null;
  readonly damagedFiles: number;
  readonly slot: {
    readonly name: string;
    readonly walStatus: string | null;
    readonly retainedBytes: number;
    readonly safeWalBytes: number | null;
  } | null;
}

/** What of the repository says whether the group is protected. */
export interface ProtectionSeen {
  /** End of the newest sound backup, ISO 8601; null where there is none. */
  readonly newestBackupAt: string | null;
  readonly damaged: readonly string[];
  readonly journals: readonly JournalSeen[];
  readonly ages: RecoveryPointAges;
}

/** A server that did not answer. */
export interface SilentServer {
  readonly kind: 'postgres' | 'redis';
  readonly code: string;
  readonly message: string;
}

export interface SpaceSeen {
  /** `repository`, or the name of a target. */
  readonly place: string;
  /** Store URL without secrets. */
  readonly location: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface PlanSeen {
  readonly id: string;
  readonly name: string;
  readonly state: PlanState;
  readonly problem: string;
}

/** What one look has found. Null: not looked at, or not to be seen; what was known of it stays. */
export interface AlertFacts {
  readonly runs: {
    /** Ended since the last look. */
    readonly fresh: readonly EndedRun[];
    readonly outcomes: readonly Outcome[];
    readonly damage: readonly Damage[];
    readonly open: readonly OpenRun[];
    readonly waiting: WaitingRun | null;
  } | null;
  /** `problem` null: it answers. */
  readonly repository: { readonly problem: { readonly code: string; readonly message: string } | null } | null;
  readonly servers: readonly SilentServer[] | null;
  readonly protection: ProtectionSeen | null;
  readonly storage: readonly SpaceSeen[] | null;
  readonly targets: readonly TargetFacts[] | null;
  readonly drills: DrillState | null;
  readonly plans: readonly PlanSeen[] | null;
  readonly schedules: readonly ScheduleProblem[] | null;
}
