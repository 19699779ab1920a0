import { lagBytes } from './postgres-findings.ts';
import type { PostgresView } from './postgres-view.ts';

/** Before the old primary can be read: a lower bound. What it wrote after it was last seen, cut off with clients of its own, is unknown. */
export interface LossEstimate {
  readonly kind: 'estimate';
  /** null where the primary was never seen. */
  readonly bytes: number | null;
  /** Age of the last commit that the standby has: nothing older is lost. null where it has none. */
  readonly seconds: number | null;
}

/** Once the WAL of the old primary was read. */
export interface ExactLoss {
  readonly kind: 'exact';
  /** Of WAL, from the fork to its end. */
  readonly bytes: number;
  /** Commits behind the fork. */
  readonly transactions: number;
  /** From the first commit that is lost to the last; 0 where none is. */
  readonly seconds: number;
  readonly forkLsn: string;
  readonly endLsn: string;
  /** ISO 8601, clock of the old primary; null where no commit is lost. */
  readonly firstCommitAt: string | null;
  readonly lastCommitAt: string | null;
}

export function estimateLoss(
  standby: Pick<PostgresView, 'lsn' | 'replayedAgeSeconds'>,
  lastPrimaryLsn: string | undefined,
): LossEstimate {
  return {
    kind: 'estimate',
    bytes: lastPrimaryLsn === undefined ? null : lagBytes(lastPrimaryLsn, standby),
    seconds: standby.replayedAgeSeconds,
  };
}
