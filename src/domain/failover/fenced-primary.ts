import type { Authority } from './authority.ts';
import { describeLoss, type PostgresChange } from './failover-plan.ts';
import type { ExactLoss, LossEstimate } from './loss.ts';

/** That a server which was primary takes no more writes, whoever starts it. */
export interface FenceProof {
  /** `clean`: it ended with a checkpoint, so that all it wrote is known; `crashed`: it may hold writes that nobody else has. */
  readonly kind: 'clean' | 'crashed';
  readonly node: string;
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** Where its last checkpoint begins: a standby that has replayed beyond the one of a clean stop has all. */
  readonly checkpointLsn: string;
}

/** Somebody takes it on that the old primary could not be fenced, or that what only it has is lost. */
export interface PromotionApproval {
  readonly kind: 'approved';
  readonly by: string;
  /** What was shown and approved, bytes; a greater loss is another question. Null: that it is unknown. */
  readonly lossBytes: number | null;
}

/** A fence that was proven, and what a promotion behind it would lose. */
export interface FencedPrimary {
  readonly change: PostgresChange;
  readonly authority: Authority;
  readonly proof: FenceProof;
  /** What the standby does not have of the old primary; null: it has all. */
  readonly missing: ExactLoss | LossEstimate | null;
}

/** Would a promotion lose anything, or does nobody know? Then somebody has to approve that. */
export function losesSomething({ missing }: Pick<FencedPrimary, 'missing'>): boolean {
  return missing !== null && missing.bytes !== 0;
}

export function describeFenced({ change: { from, to }, proof, missing }: FencedPrimary): string {
  const end = proof.kind === 'clean' ? 'it ended clean' : 'it had crashed';
  const rest = missing === null ? `${to} has all of it` : `a promotion of ${to} now: ${describeLoss(missing)}`;
  return `${from} is fenced: ${end}; ${rest}`;
}

/**
 * By what a standby may be promoted behind a fence: the fence itself where the standby has all, else an approval of the measured loss, which
 * is measured against it once more immediately before the act.
 */
export function mandateFor(
  fenced: FencedPrimary,
  approvedBy: () => string,
): { readonly change: PostgresChange; readonly proof: FenceProof | PromotionApproval } {
  const { change, proof, missing } = fenced;
  if (!losesSomething(fenced) || missing === null) return { change, proof };
  const primaryLsn = 'endLsn' in missing ? missing.endLsn : change.primaryLsn;
  return { change: { ...change, primaryLsn }, proof: { kind: 'approved', by: approvedBy(), lossBytes: missing.bytes } };
}
