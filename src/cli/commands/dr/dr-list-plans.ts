import type { PlanWithState } from '../../../client/disaster-recovery-manager.ts';
import { defineCommand } from '../../command.ts';
import { describeEvaluation } from './describe-evaluation.ts';
import { withPlans } from './with-plans.ts';

/** `dr list-plans`: what could be run. */
export const drListPlans = defineCommand({
  name: 'dr list-plans',
  summary: 'list recovery plans, and whether each was verified as it is written now',
  description:
    'One plan is built in; the others are the JSON files of drPlans.dir. A plan that was changed after it was verified needs it again: `dr validate PLAN`.',
  arguments: {},
  options: {},
  examples: ['dr list-plans', 'dr list-plans --json'],
  answers: [
    'plans[] {id, name, description, priority, steps, file, state: verified|needs-verification|invalid, verification {at, by, how}, evaluation {at, by, state: passed|action-required|unknown, findings[] {step, code, message}}, problems[]}',
  ],
  exits: [7],
  run: (context) =>
    withPlans(context, async (manager) => {
      const plans = await manager.readPlanStates();
      return { json: { plans }, text: () => plans.map(describe).join('\n') };
    }),
});

function describe(plan: PlanWithState): string {
  const { id, name, priority, steps, file, state, verification, problems } = plan;
  const since = verification === null ? '' : ` (last ${verification.how} ${verification.at})`;
  return [
    `${id}  ${name}: ${priority}, ${steps} steps, ${file ?? 'built in'}`,
    `  ${state}${since}`,
    ...problems.map((problem) => `  ${problem}`),
    ...describeEvaluation(plan),
  ].join('\n');
}
