import type { SteeringRequest } from '../../../client/disaster-recovery-manager.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import { defineCommand, type Command, type CommandContext, type CommandResult } from '../../command.ts';
import { optional, required, value } from '../../options.ts';
import { describeRun } from './describe-plan.ts';
import { withPlans } from './with-plans.ts';

const RUN = required('id of a run');
const REASON = value('<text>', 'why; stands in the history and in the report');
const STEP = optional('id of a step; not needed where only one can be meant');

interface Steer {
  readonly name: string;
  readonly action: SteeringRequest['action'];
  readonly summary: string;
  readonly description: string;
  readonly example: string;
}

const WHOLE_RUN: readonly Steer[] = [
  {
    name: 'dr pause',
    action: 'pause',
    summary: 'let a run begin no further step',
    description: 'What runs goes on to its end.',
    example: 'dr pause run-2026-01-15T10-30-00-000Z --reason "looking at the data first"',
  },
  {
    name: 'dr resume',
    action: 'resume',
    summary: 'let a paused run go on',
    description: 'The next step begins at once.',
    example: 'dr resume run-2026-01-15T10-30-00-000Z --reason "the data is good"',
  },
  {
    name: 'dr abort',
    action: 'abort',
    summary: 'end a run, and take back what it has begun',
    description:
      'What runs is stopped and awaited; then what was begun is taken back, newest first, where the plan says how. From the point of no return on nothing is taken back.',
    example: 'dr abort run-2026-01-15T10-30-00-000Z --reason "the wrong plan"',
  },
  {
    name: 'dr ungraceful',
    action: 'ungraceful',
    summary: 'switch a run to the ungraceful mode',
    description: 'Steps that have not begun do what the plan says for it: the same, something else, or nothing.',
    example: 'dr ungraceful run-2026-01-15T10-30-00-000Z --reason "the region does not answer"',
  },
];

const ONE_STEP: readonly Steer[] = [
  {
    name: 'dr retry',
    action: 'retry',
    summary: 'begin a step anew that has failed and waits',
    description: 'It gets as many attempts as the plan gives it.',
    example: 'dr retry run-2026-01-15T10-30-00-000Z health-validation --reason "the server is up"',
  },
  {
    name: 'dr skip',
    action: 'skip',
    summary: 'leave out a step that has failed and waits, or one that has not begun',
    description: 'The run goes on as if it had ended; the report says who left it out, and why.',
    example: 'dr skip run-2026-01-15T10-30-00-000Z notification --reason "everybody knows"',
  },
];

/** What a person does to a run. */
export const STEERING_COMMANDS: readonly Command[] = [
  defineCommand({
    name: 'dr approve',
    summary: 'give the approval that a step waits for',
    description:
      'Not by whoever started the run. It is for the plan of one digest: the one that is named, or the one that the run shows now.',
    arguments: { run: RUN, step: STEP },
    options: { reason: REASON, digest: value('<sha256>', 'digest of the plan that was looked at, or its beginning') },
    examples: [
      'dr approve run-2026-01-15T10-30-00-000Z confirm --digest 3fa9c1d2e4b5 --reason "agreed with the owner"',
    ],
    answers: ['run (as of `dr execute`)'],
    exits: [5, 7, 8],
    run: (context, { arguments: { run, step }, options: { reason, digest } }) =>
      steer(context, run, { action: 'approve', step: step ?? null, reason: reason ?? '', digest: digest ?? null }),
  }),
  ...WHOLE_RUN.map(({ action, example, ...words }) =>
    defineCommand({
      ...words,
      arguments: { run: RUN },
      options: { reason: REASON },
      examples: [example],
      answers: ['run (as of `dr execute`)'],
      exits: [5, 7],
      run: (context, { arguments: { run }, options: { reason } }) =>
        steer(context, run, { action, reason: reason ?? '' }),
    }),
  ),
  ...ONE_STEP.map(({ action, example, ...words }) =>
    defineCommand({
      ...words,
      arguments: { run: RUN, step: STEP },
      options: { reason: REASON },
      examples: [example],
      answers: ['run (as of `dr execute`)'],
      exits: [5, 7],
      run: (context, { arguments: { run, step }, options: { reason } }) =>
        steer(context, run, { action, step: step ?? null, reason: reason ?? '' }),
    }),
  ),
];

async function steer(context: CommandContext, runId: string, request: SteeringRequest): Promise<CommandResult> {
  const { action, reason } = request;
  if (reason === '') throw new LifeboatError('USAGE_INVALID', `dr ${action}: --reason is missing`);
  return withPlans(context, async (manager) => {
    const isApproval = action === 'approve' && request.digest === null;
    const digest = isApproval ? (await manager.runStatus(runId)).digest : (request.digest ?? null);
    const run = await manager.steerRun(runId, { ...request, digest });
    return { json: { run }, text: () => describeRun(run) };
  });
}
