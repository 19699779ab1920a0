import { defineCommand } from '../../command.ts';
import { optional } from '../../options.ts';
import { describeRun } from './describe-plan.ts';
import { withPlans } from './with-plans.ts';

/** `dr status [RUN]`: how a run stands, or stood. */
export const drStatus = defineCommand({
  name: 'dr status',
  summary: 'show a run of a recovery plan: what it does, what it waits for, what became of each step',
  description:
    'Without an id the run that holds the group, or the newest. What Temporal knows no more is read from its report.',
  arguments: { run: optional('id of a run') },
  options: {},
  examples: ['dr status', 'dr status run-2026-01-15T10-30-00-000Z --json'],
  answers: ['run (as of `dr execute`)'],
  exits: [5, 7],
  run: (context, { arguments: { run: id } }) =>
    withPlans(context, async (manager) => {
      const run = await manager.runStatus(id);
      return { json: { run }, text: () => describeRun(run) };
    }),
});
