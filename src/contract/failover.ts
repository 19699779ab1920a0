import type { Authority } from '../domain/failover/authority.ts';
import type { ExactLoss, LossEstimate } from '../domain/failover/loss.ts';
import type { ComponentName } from '../domain/backup.ts';
import type { FenceProof, PromotionApproval } from '../domain/failover/fenced-primary.ts';
import type { PostgresReturn, RedisReturn, RejoinOutcome, RejoinPlan } from '../domain/failover/rejoin-plan.ts';
import type { FailoverPlan, PostgresChange, RedisChange, RedisLoss } from '../domain/failover/failover-plan.ts';
import type { PlanMode } from '../domain/plan/recovery-plan.ts';
import type { Requested } from './messages.ts';

export interface FailoverInput extends Requested {
  readonly targetRegion: string;
  readonly mode: PlanMode;
  /** Who takes the authority: the run and the step, the same in every attempt. */
  readonly holder: string;
  /** Who has approved the change before; null: nobody. */
  readonly approvedBy: string | null;
}

export interface PromotionMessage {
  readonly node: string;
  readonly timeline: number;
  /** Where the old timeline was left. */
  readonly forkLsn: string;
  readonly promotedNow: boolean;
  /** null after a clean stop. */
  readonly estimate: LossEstimate | null;
}

export interface RedisRoleMessage {
  readonly node: string;
  readonly replid: string;
  readonly forkOffset: number;
  readonly changedNow: boolean;
  /** The roles survive a restart of the servers. */
  readonly persisted: boolean;
}

/**
 * Of a failover; task queue `control`. Each act looks whether it is done, asks for the epoch immediately before it changes something, and looks
 * again; repeated it changes nothing more. FAILOVER_EPOCH_STALE where a later run took over.
 */
export interface FailoverControl {
  /** Looks at both servers of each service and chooses the way; FAILOVER_* says why none may begin. Changes nothing. */
  observeFailover(input: {
    targetRegion: string;
    mode: PlanMode;
    holder: string;
    /** Only these; all that are configured without it. */
    components?: readonly ComponentName[];
  }): Promise<FailoverPlan>;
  /** Writes a mark on the primary that its standby has to replay, or FAILOVER_NOT_READY. Repeated it writes another; no data is changed. */
  proveLine(input: { change: PostgresChange }): Promise<{ lsn: string }>;
  /** The same holder gets the same epoch again; FAILOVER_EPOCH_TAKEN where another was first. */
  takeAuthority(input: { service: string; region: string; holder: string; after: number }): Promise<Authority>;
  /** Stops the old primary and puts standby.signal on its disk; one that is dead already is fenced as it is. */
  fencePrimary(input: { change: PostgresChange; authority: Authority }): Promise<FenceProof>;
  /** Waits until the standby has all that the old primary wrote before its clean stop; FAILOVER_NOT_CAUGHT_UP. */
  awaitCaughtUp(input: { change: PostgresChange; proof: FenceProof }): Promise<{ lsn: string }>;
  /** `proof` is that of a fence, or who has approved to go on without one. */
  promoteStandby(input: {
    change: PostgresChange;
    authority: Authority;
    proof: FenceProof | PromotionApproval;
  }): Promise<PromotionMessage>;
  /**
   * Counts in the WAL of a fenced primary what its standby has not replayed, once that has replayed all it was sent; FAILOVER_LOSS_UNKNOWN.
   * Changes nothing.
   */
  countMissing(input: { change: PostgresChange }): Promise<ExactLoss>;
  /** Counts in the WAL of the old primary what only it has; FAILOVER_LOSS_UNKNOWN. Changes nothing. */
  measureLoss(input: { change: PostgresChange; forkLsn: string }): Promise<ExactLoss>;
  /** The master holds its writers until the replica has all, and becomes its replica. */
  handOverRedis(input: { change: RedisChange; authority: Authority }): Promise<RedisRoleMessage>;
  /** Promotes the replica of a master that is gone. */
  promoteReplica(input: { change: RedisChange; authority: Authority; approvedBy: string }): Promise<RedisRoleMessage>;
  /**
   * Looks what it takes to make the old servers of a region follow the new ones; FAILOVER_NOT_READY, FAILOVER_SPLIT_BRAIN, FAILOVER_NOT_FENCED.
   * Changes nothing.
   */
  planRejoin(input: { region: string }): Promise<RejoinPlan>;
  /** FAILOVER_REJOIN_BLOCKED where it holds more commits of its own than were given up. */
  rejoinPostgres(input: {
    plan: PostgresReturn;
    authority: Authority;
    givenUpTransactions: number;
    rebuild: boolean;
  }): Promise<NonNullable<RejoinOutcome['postgres']>>;
  /** FAILOVER_REJOIN_BLOCKED where it holds anything of its own. */
  rejoinRedis(input: { plan: RedisReturn; authority: Authority }): Promise<NonNullable<RejoinOutcome['redis']>>;
  /** Compares the streams of both servers; an estimate where the old one does not answer. Changes nothing. */
  measureRedisLoss(input: { change: RedisChange }): Promise<RedisLoss>;
}
