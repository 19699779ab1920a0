import type { ErrorTable } from './rule.ts';

/** Errors of schedules. */
export const SCHEDULE_ERRORS = {
  SCHEDULE_NOT_FOUND: {
    retry: 'never',
    exit: 5,
    when: 'No schedule of that name is configured, or Temporal does not have it yet.',
    hint: '`lifeboat schedule list` names them; `lifeboat schedule apply` brings what is configured to Temporal',
  },
  SCHEDULE_ALARM: {
    retry: 'never',
    exit: 3,
    when: 'A schedule is overdue, or its newest run failed, was skipped, or found what somebody must look at; each is named.',
    hint: '`lifeboat schedule list` names each with its newest runs; `lifeboat schedule trigger NAME` makes good what is missing',
  },
} as const satisfies ErrorTable;
