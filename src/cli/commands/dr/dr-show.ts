import { defineCommand } from '../../command.ts';
import { parsePair, required, values } from '../../options.ts';
import { describeEvaluation } from './describe-evaluation.ts';
import { describeSteps } from './describe-plan.ts';
import { withPlans } from './with-plans.ts';

/** `dr show PLAN`: a plan with every default filled in. */
export const drShow = defineCommand({
  name: 'dr show',
  summary: 'show a recovery plan as it would run: every default and parameter in its place',
  arguments: { plan: required('id of a plan, or a file') },
  options: { param: values('<name=value>', 'value of a parameter of the plan', parsePair) },
  examples: ['dr show default-recovery', 'dr show default-recovery --param toTime=2026-01-15T10:30:59Z --json'],
  answers: [
    'plan {id, name, description, priority, objectives, steps[]}',
    'digest',
    'state',
    'verification',
    'evaluation',
    'file',
  ],
  exits: [5, 7],
  run: (context, { arguments: { plan: name }, options: { param } }) =>
    withPlans(context, async (manager) => {
      const shown = await manager.showPlan(name, { parameters: Object.fromEntries(param) });
      const { plan, digest, state, verification, evaluation, file } = shown;
      return {
        json: { plan, digest, state, verification, evaluation, file },
        text: () =>
          [
            `${plan.id}  ${plan.name}: ${plan.priority}, ${state}, ${file ?? 'built in'}`,
            ...(plan.description === '' ? [] : [`  ${plan.description}`]),
            `  digest ${digest}`,
            ...describeEvaluation(shown),
            ...describeSteps(plan),
          ].join('\n'),
      };
    }),
});
