import type { ErrorTable } from './rule.ts';

/** Errors of recovery plans and their runs. */
export const PLAN_ERRORS = {
  PLAN_NOT_FOUND: {
    retry: 'never',
    exit: 5,
    when: 'No recovery plan of that id is built in or in drPlans.dir.',
    hint: 'the ids are those of `lifeboat dr list-plans`',
  },
  PLAN_INVALID: {
    retry: 'never',
    exit: 2,
    when: 'A recovery plan cannot be read, has keys or values that are not known, or names what the configuration does not have; each problem is named.',
    hint: 'docs/guides/recovery-plans.md tells what a plan holds; `lifeboat dr validate PLAN` tries one',
  },
  PLAN_STEP_UNAVAILABLE: {
    retry: 'never',
    exit: 2,
    when: 'A plan has a step that this version checks and cannot do; nothing of the plan was run.',
    hint: 'run a plan without that step; an endpoint of type command can do what one of another type would',
  },
  PLAN_DIGEST_MISMATCH: {
    retry: 'never',
    exit: 4,
    when: 'The plan that reached the worker is not the one whose digest was sent with it; nothing of it was run.',
    hint: 'are the command line and the worker of one version? start the run again',
  },
  PLAN_FAILED: {
    retry: 'never',
    exit: 1,
    when: 'A step of a recovery plan failed and the run ended; what could be taken back was.',
    hint: '`lifeboat dr status RUN` names each step with what became of it',
  },
  PLAN_ABORTED: {
    retry: 'never',
    exit: 1,
    when: 'A person ended a run of a recovery plan; what could be taken back was.',
    hint: '`lifeboat dr status RUN` names each step with what became of it',
  },
  PLAN_PARTLY_DONE: {
    retry: 'never',
    exit: 3,
    when: 'A recovery plan ran to its end, and a step with `onFailure: continue` failed; each is named.',
    hint: '`lifeboat dr status RUN` says why; what such a step should have done is left to you',
  },
  PLAN_STEP_TIMED_OUT: {
    retry: 'never',
    exit: 1,
    when: 'A step of a plan used up its `timeout` and was stopped.',
    hint: 'what did it wait for? raise `timeout` of the step if it only needs longer',
  },
  PLAN_VALIDATION_FAILED: {
    retry: 'never',
    exit: 4,
    when: 'A check of a validation step found something else than the plan expects; each is named.',
    hint: 'look at the databases: is it the data that is wrong, or what the plan expects of it?',
  },
  PLAN_STEERING_REFUSED: {
    retry: 'never',
    exit: 2,
    when: 'A run cannot be steered that way now: it has ended, is not paused, or no step waits for that.',
    hint: '`lifeboat dr status` says what the run waits for',
  },
  PLAN_STEP_UNKNOWN: {
    retry: 'never',
    exit: 5,
    when: 'The plan of a run has no step of that id.',
    hint: 'the ids are those of `lifeboat dr status`',
  },
  PLAN_APPROVAL_REFUSED: {
    retry: 'never',
    exit: 8,
    when: 'An approval came from whoever started the run, or is for another plan than the one that runs.',
    hint: 'another person looks at `lifeboat dr status RUN` and approves what is shown there',
  },
  PLAN_RUN_NOT_FOUND: {
    retry: 'never',
    exit: 5,
    when: 'No run of a recovery plan of that id is known to Temporal or has a report in the repository.',
    hint: '`lifeboat dr status` shows the one that runs, or the newest report',
  },
  COMMAND_UNKNOWN: {
    retry: 'never',
    exit: 2,
    when: 'A command is named that the configuration does not have.',
    hint: 'the names are those of `commands` in the configuration: `lifeboat config show`',
  },
  COMMAND_FAILED: {
    retry: 'never',
    exit: 1,
    when: 'A configured command exited with a code other than 0.',
    hint: 'what does the command say when you run it by hand, as the same user?',
  },
  COMMAND_TIMED_OUT: {
    retry: 'never',
    exit: 1,
    when: 'A configured command did not end within its timeout and was ended.',
    hint: 'does the command hang? raise commands[].timeout if it only needs longer',
  },
} as const satisfies ErrorTable;
