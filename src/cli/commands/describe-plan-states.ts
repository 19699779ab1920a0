import type { PlanWithState } from '../../client/disaster-recovery-manager.ts';
import type { Colors } from '../output.ts';

/** What `status` says of a recovery plan. */
export type PlanState = Pick<PlanWithState, 'id' | 'state' | 'evaluation'>;

/** A line for each plan. */
export function describePlanStates(plans: readonly PlanState[], colors: Colors): string[] {
  return plans.map(({ id, state, evaluation }) => {
    const shown = state === 'verified' ? colors.green(state) : colors.yellow(state);
    if (evaluation === null) return `plan ${id}: ${shown}, not evaluated yet`;
    const { at, findings } = evaluation;
    const [first] = findings;
    const more = findings.length > 1 ? `, and ${findings.length - 1} more` : '';
    const found =
      evaluation.state === 'action-required' ? colors.red(`${first?.message ?? ''}${more}`) : evaluation.state;
    return `plan ${id}: ${shown}, evaluated ${at}: ${found}`;
  });
}
