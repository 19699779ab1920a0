import type { LossEstimate } from '../../domain/failover/loss.ts';
import type { Mandate } from '../epoch.ts';
import type { FenceProof, PromotionApproval } from '../../domain/failover/fenced-primary.ts';
import type { PostgresNode } from './node.ts';

/** Of the service, and the timeline that is left behind. */
export interface LossApproval extends PromotionApproval {
  readonly systemIdentifier: string;
  readonly timeline: number;
}

export interface Promote {
  readonly standby: PostgresNode;
  /** Looked at once more before the act. */
  readonly old: PostgresNode;
  readonly proof: FenceProof | LossApproval;
  /** Last position at which the old primary was seen, for the estimate. */
  readonly lastPrimaryLsn?: string;
  readonly mandate: Mandate;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Promotion {
  readonly node: string;
  readonly timeline: number;
  /** Where the old timeline was left. */
  readonly forkLsn: string;
  /** False where it had been promoted before. */
  readonly promotedNow: boolean;
  /** Before contact with the old primary; null after a clean stop, which loses nothing. */
  readonly estimate: LossEstimate | null;
}
