import type { ScheduleProblem } from '../domain/schedule/schedule-health.ts';
import type { AlertSettings } from '../config/alert-settings.ts';
import type { PlanLibrary } from '../config/plans/plan-library.ts';
import type { JournalFacts } from '../contract/journal-facts.ts';
import type { RunsSeen } from '../domain/alerts/runs-seen.ts';
import type { JournalCondition } from '../domain/journal-state.ts';
import type { DrillCheck, Objectives } from '../domain/drill/drill.ts';
import type { FailoverSite } from '../failover/site.ts';
import type { PhysicalBackup, PostgresServerTools } from '../postgres/physical/physical.ts';
import type { Postgres, PostgresTarget } from '../postgres/postgres.ts';
import type { Wal } from '../postgres/wal/wal.ts';
import type { RedisJournal } from '../redis/journal/journal.ts';
import type { CleanupRules } from '../recovery/cleanup/plan-cleanup.ts';
import type { Redis, RedisTarget } from '../redis/redis.ts';
import type { Codec, Repository } from '../repository/repository.ts';
import type { Notifications } from '../notify/notify.ts';
import type { Commands } from '../services/commands.ts';
import type { Endpoints } from '../services/endpoints.ts';
import type { Services } from '../services/services.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** The part of the configuration that activities act on, secrets resolved; it never leaves the worker. */
export interface WorkSettings {
  readonly group: string;
  readonly codec: Codec;
  readonly postgres: {
    readonly target: PostgresTarget;
    /** Take a physical base beside the logical dump. */
    readonly physical: boolean | 'auto';
    /** Incremental backups take the changed blocks as well; null: they are positions in the journals alone. */
    readonly native?: { readonly chainMax: number } | null;
    readonly jobs: number;
    readonly bigTableBytes: number;
    /** zstd level for pg_dump's own compression; 0 = none. */
    readonly zstdLevel: number;
    /** How long a dump waits for a table that is locked exclusively. */
    readonly lockTimeoutMs: number;
  } | null;
  readonly redis: {
    readonly target: RedisTarget;
    readonly method: 'auto' | 'replication' | 'dump';
    readonly agentHost: string | undefined;
    /** The journal follows a replica where one answers. */
    readonly preferReplica: boolean;
  } | null;
  /** Another Redis than the configured one, by its URL without a password. */
  redisAt(url: string): RedisTarget;
  readonly journal: {
    /** Journals are kept all the time; otherwise an incremental backup catches up by itself. */
    readonly enabled: boolean;
    readonly flushMs: number;
    readonly slot: string;
    /** For what comes from Redis faster than it is stored. */
    readonly spillDirectory: string;
  };
  /** For data directories while a restore replays in them: big, and entered by the account that servers run under. */
  scratchFolder(): Promise<string>;
  readonly keepReplacedMs: number;
  readonly cleanup: CleanupRules;
  readonly alerts: AlertSettings;
  readonly drill: {
    /** How often a drill is to be done; null: never is one due. */
    readonly everyMs: number | null;
    readonly checks: readonly DrillCheck[];
    readonly objectives: Objectives;
  };
  /** An attempt whose progress stops for this long is ended. */
  readonly stallAfterMs: number;
}

/** A place that gets copies; neither is opened before it is asked for. */
export interface CopyTarget {
  readonly name: string;
  readonly region: string | null;
  /** How long after a backup its copy begins. */
  readonly delayMs: number;
  /** What a cleanup keeps there. */
  readonly cleanup: CleanupRules;
  store(): ObjectStore;
  /** The copies as a repository, `through` the store that is made of the target's; nothing is made where there is none. @throws LifeboatError REPOSITORY_MISSING */
  repository(through?: (store: ObjectStore) => ObjectStore): Promise<Repository>;
}

/** What Temporal says of operations. */
export interface TemporalView {
  /** Those that ended since then, without those that are known; those that change live data now; and the run that waits for a person. */
  runs(known: { readonly since: string; readonly seen: readonly string[] }): Promise<RunsSeen>;
  /** Joins what is known of journals with the runs that keep them. */
  journals(facts: readonly JournalFacts[]): Promise<readonly JournalSeenByRun[]>;
  /** What is wrong with the schedules of the configuration. */
  schedules(): Promise<readonly ScheduleProblem[]>;
}

export interface JournalSeenByRun extends JournalFacts, JournalCondition {
  readonly lagSeconds: number | null;
}

/** What activities join: libraries that know no Temporal. */
export interface Dependencies {
  readonly settings: WorkSettings;
  /** Opened on first use, so that a worker starts when the store is down; a failed opening is tried again. */
  repository(): Promise<Repository>;
  /** Whether the store has one; nothing is made. */
  hasRepository(): Promise<boolean>;
  /** The store of the repository; nothing is asked or made. */
  primaryStore(): ObjectStore;
  readonly targets: readonly CopyTarget[];
  /** Files are read at each call. */
  readonly plans: PlanLibrary;
  readonly temporal: TemporalView;
  postgres(): Promise<Postgres>;
  /** As `postgres`, with another folder for its private files: whoever names it removes what a killed process leaves there. */
  postgresIn(scratchDir: string): Promise<Postgres>;
  /** For a server of this major version. */
  physical(major: number): Promise<PhysicalBackup>;
  /** Programs of a server of this major version, on this host. */
  serverTools(major: number): Promise<PostgresServerTools>;
  /** redis-server of this host: keys are replayed to an instant in one of our own. */
  redisServer(): Promise<string>;
  readonly wal: Wal;
  readonly redis: Redis;
  readonly redisJournal: RedisJournal;
  readonly services: Services;
  readonly commands: Commands;
  readonly endpoints: Endpoints;
  readonly notifications: Notifications;
  /** Null where no regions are configured. @throws LifeboatError STORE_UNKNOWN, CONFIG_INVALID */
  failoverSite(): FailoverSite | null;
}
