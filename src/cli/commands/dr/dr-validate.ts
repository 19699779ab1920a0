import { LifeboatError } from '../../../domain/errors.ts';
import { defineCommand, type CommandResult } from '../../command.ts';
import { parsePair, required, values } from '../../options.ts';
import { describeForecast, evaluate, impossible } from './evaluate.ts';
import { withPlans } from './with-plans.ts';

/** `dr validate PLAN|FILE`: whether it could be run now. */
export const drValidate = defineCommand({
  name: 'dr validate',
  summary: 'check a recovery plan: its JSON, and of every step whether anything is in its way',
  description:
    'Nothing is changed. A plan of drPlans.dir, or the one that is built in, in which nothing is found is recorded as verified; a file that is named by its path is only checked.',
  arguments: { plan: required('id of a plan, or a file') },
  options: { param: values('<name=value>', 'value of a parameter of the plan', parsePair) },
  examples: ['dr validate default-recovery', 'dr validate ./config/plans/critical-failure-recovery.json --json'],
  answers: [
    'findings[] {step, code, message}',
    'plan',
    'digest',
    'steps[] {id, would[]}',
    'verification {at, by, how}',
  ],
  exits: [5, 7],
  run: (context, { arguments: { plan }, options: { param } }) =>
    withPlans(context, async (manager) => {
      const { isFile } = await import('../../../config/plans/plan-library.ts');
      const parameters = Object.fromEntries(param);
      try {
        const asked = { plan, parameters, record: !isFile(plan) };
        const { planId, digest, steps, verification, findings } = await evaluate(context, manager, asked);
        const verdict = findings.length === 0 ? 'nothing is in the way of any step' : 'could not be run now';
        return {
          json: { findings, plan: planId, digest, steps, verification },
          text: () => [`${planId}: ${verdict}`, ...describeForecast(steps)].join('\n'),
          ...impossible(planId, findings),
        };
      } catch (error) {
        if (!(error instanceof LifeboatError) || !REFUSALS.includes(error.code)) throw error;
        return refused(plan, error);
      }
    }),
});

/** What a plan is refused for before any of its steps is asked. */
const REFUSALS: readonly string[] = [
  'PLAN_INVALID',
  'PLAN_STEP_UNAVAILABLE',
  'SERVICE_UNKNOWN',
  'COMMAND_UNKNOWN',
  'ENDPOINT_UNKNOWN',
  'NOTIFICATION_UNAVAILABLE',
  'SOURCE_NOT_CONFIGURED',
];

function refused(plan: string, failure: LifeboatError): CommandResult {
  const { problems, step } = failure.details;
  const lines: readonly string[] = Array.isArray(problems) ? problems : [failure.message];
  const findings = lines.map((message) => ({
    step: typeof step === 'string' ? step : '',
    code: failure.code,
    message,
  }));
  return {
    json: { findings, plan, digest: null, steps: [], verification: null },
    text: () => [`${plan}: cannot be run`, ...lines.map((line) => `  ${line}`)].join('\n'),
    failure,
  };
}
