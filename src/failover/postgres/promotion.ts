import type { LossEstimate } from '../../domain/failover/loss.ts';
import type { Mandate } from '../epoch.ts';
import type { FenceProof } from './fence-primary.ts';
import type { PostgresNode } from './node.ts';

/** Somebody takes it on that the old primary could not be fenced, or that what only it has is lost. */
export interface LossApproval {
  readonly kind: 'approved';
  readonly by: string;
  /** Of the service, and the timeline that is left behind. */
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** What was shown and approved; a greater loss is another question. null: that it is unknown. */
  readonly lossBytes: number | null;
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
