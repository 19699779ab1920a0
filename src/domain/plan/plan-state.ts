/** `verified`: found to be possible as it is written now; `invalid`: it cannot be run. */
export type PlanState = 'verified' | 'needs-verification' | 'invalid';

export const PLAN_STATES: readonly PlanState[] = ['verified', 'needs-verification', 'invalid'];

/**
 * A verification is bound to what was written: an edit makes it one of another plan.
 * @param verification newest of the plan; null where there is none
 */
export function planStateOf(
  { definition, problems }: { readonly definition: string; readonly problems: readonly string[] },
  verification: { readonly definition: string } | null,
): PlanState {
  if (problems.length > 0) return 'invalid';
  return verification?.definition === definition ? 'verified' : 'needs-verification';
}
