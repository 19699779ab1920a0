import { ApplicationFailure } from '@temporalio/common';
import { resolvePlan } from '../../../src/config/plans/resolve-plan.ts';
import { SIGNALS, WORKFLOWS } from '../../../src/contract/names.ts';
import type { ListedPlan } from '../../../src/contract/schedule.ts';
import type { ScheduledWork } from '../../../src/domain/schedule/schedule.ts';
import { DEFAULT_PLAN } from '../../../src/domain/plan/default-plan.ts';
import type { Check } from '../../../src/domain/backup.ts';
import { type Activities, failWith, streamUntilCancelled } from './fakes.ts';
import type { Scenario } from './scenario.ts';

const asked = { group: 'scenario', requestedBy: 'schedule nightly' };
const MINUTE_MS = 60_000;

function inputOf(work: ScheduledWork, patienceMs = MINUTE_MS): object {
  return { ...asked, schedule: 'nightly', work, patienceMs };
}

const workflow = WORKFLOWS.scheduled;
const COPIES = ['copyPostgres', 'copyRedis'] as const;
const LOOK = 'requireNotLost';
const FULL = ['surveySources', 'beginBackup', COPIES, 'publishBackup'] as const;
const CLEANUP = ['planCleanup', 'hideRemoved', 'purgeHidden', 'removeUnreferenced', 'dropReplaced'] as const;
const PROBLEM = { backupId: 'a', key: 'k', code: 'OBJECT_DAMAGED', message: 'not what was signed' } as const;

async function untilCalled(calls: readonly string[], name: string): Promise<void> {
  while (!calls.includes(name)) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** What is left of a try whose own retries are used up. */
function failOnceWithWhatMayPass(): Activities['surveySources'] {
  let failed = false;
  return async () => {
    if (!failed) {
      failed = true;
      throw ApplicationFailure.create({ message: 'the store is away', type: 'STORE_IO', nonRetryable: true });
    }
    return { postgres: null, redis: { server: '7.0.15', keys: 3, method: 'replication', bytes: 1 }, warnings: [] };
  };
}

const RUNS: readonly Scenario[] = [
  { name: 'scheduled/full', workflow, input: inputOf({ type: 'full' }), outcome: 'completed', calls: [LOOK, ...FULL] },
  { name: 'scheduled/cleanup', workflow, input: inputOf({ type: 'cleanup' }), outcome: 'completed', calls: CLEANUP },
  {
    name: 'scheduled/verify',
    workflow,
    input: inputOf({ type: 'verify', budget: { bytes: 100, ms: null } }),
    outcome: 'completed',
    calls: ['planOldestVerification', 'verifyBackup(a)'],
  },
  {
    name: 'scheduled/verify-finds-damage',
    workflow,
    input: inputOf({ type: 'verify', budget: { bytes: 100, ms: null } }),
    planted: () => ({ verifyBackup: async () => ({ problems: [PROBLEM] }) }),
    outcome: 'completed',
    calls: ['planOldestVerification', 'verifyBackup(a)'],
  },
  {
    name: 'scheduled/drill',
    workflow,
    input: inputOf({ type: 'drill', point: 'random' }),
    outcome: 'completed',
    calls: ['planDrill', 'rehearseDrill', 'publishDrill'],
  },
  {
    name: 'scheduled/evaluate',
    workflow,
    input: inputOf({ type: 'evaluate' }),
    outcome: 'completed',
    calls: ['listPlans', 'surveyReadiness'],
  },
  {
    name: 'scheduled/waits-for-the-group',
    workflow,
    input: inputOf({ type: 'full' }),
    heldBy: WORKFLOWS.catalog,
    planted: () => ({
      readCatalog: async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return { backups: [], objects: [], objectsTotal: 0, location: 'memory:' };
      },
    }),
    outcome: 'completed',
    calls: [[LOOK, 'readCatalog'], ...FULL],
  },
  {
    name: 'scheduled/skipped',
    workflow,
    input: inputOf({ type: 'full' }, 1_000),
    heldBy: WORKFLOWS.catalog,
    planted: () => ({ readCatalog: streamUntilCancelled }),
    drive: async (_, calls) => untilCalled(calls, 'readCatalog'),
    outcome: 'completed',
    calls: [[LOOK, 'readCatalog']],
  },
  {
    name: 'scheduled/tried-again',
    workflow,
    input: inputOf({ type: 'full' }, 5_000),
    planted: () => ({ surveySources: failOnceWithWhatMayPass() }),
    outcome: 'completed',
    calls: [LOOK, 'surveySources', LOOK, 'surveySources', 'beginBackup', 'copyRedis', 'publishBackup'],
  },
  {
    name: 'scheduled/given-up',
    workflow,
    input: inputOf({ type: 'full' }, 0),
    planted: () => ({ surveySources: failOnceWithWhatMayPass() }),
    outcome: 'STORE_IO',
    calls: [LOOK, 'surveySources'],
  },
  {
    name: 'scheduled/repository-lost',
    workflow,
    input: inputOf({ type: 'incremental' }, 0),
    planted: () => ({
      requireNotLost: async () => {
        throw ApplicationFailure.create({ message: 'gone', type: 'REPOSITORY_LOST', nonRetryable: true });
      },
    }),
    outcome: 'REPOSITORY_LOST',
    calls: [LOOK],
  },
  {
    name: 'scheduled/fails-for-good',
    workflow,
    input: inputOf({ type: 'full' }),
    planted: () => ({ surveySources: async () => failWith('SOURCE_NOT_CONFIGURED') }),
    outcome: 'SOURCE_NOT_CONFIGURED',
    calls: [LOOK, 'surveySources'],
  },
  {
    name: 'scheduled/cancelled',
    workflow,
    input: inputOf({ type: 'full' }),
    planted: () => ({ copyPostgres: streamUntilCancelled }),
    drive: async (handle, calls) => {
      await Promise.all(COPIES.map(async (name) => untilCalled(calls, name)));
      await handle.signal(SIGNALS.cancel, { reason: 'not now', by: 'tester@here' });
    },
    outcome: 'cancelled',
    calls: [LOOK, 'surveySources', 'beginBackup', COPIES, 'discardBackup'],
  },
];

function listed(planId: string, more: Partial<ListedPlan> = {}): ListedPlan {
  const prepared = resolvePlan(planId, { ...DEFAULT_PLAN, id: planId });
  return { planId, name: planId, definition: 'a'.repeat(64), problems: [], open: [], prepared, ...more };
}

const NO_REPOSITORY: Check = {
  name: 'store',
  status: 'fail',
  expected: 'an answer',
  actual: 'REPOSITORY_MISSING',
  message: 'no repository',
};
const STEPS = ['surveySources', 'planRestore', 'namesOf', 'namesOf'] as const;

const EVALUATIONS: readonly Scenario[] = [
  {
    name: 'evaluate-plans/each-kind',
    workflow: WORKFLOWS.evaluatePlans,
    input: asked,
    planted: () => ({
      listPlans: async () => ({
        plans: [
          listed('good'),
          listed('wrong', { prepared: null, problems: ['steps.0.type: expected one of …'] }),
          listed('asks', { prepared: null, open: ['toTime'] }),
        ],
      }),
    }),
    outcome: 'completed',
    calls: [
      'listPlans',
      'surveyReadiness',
      'acceptPlan',
      ...STEPS,
      'keepEvaluation(good: passed)',
      'keepEvaluation(wrong: action-required)',
      'keepEvaluation(asks: unknown)',
    ],
  },
  {
    name: 'evaluate-plans/no-repository',
    workflow: WORKFLOWS.evaluatePlans,
    input: asked,
    planted: () => ({
      listPlans: async () => ({ plans: [listed('good')] }),
      surveyReadiness: async () => ({ checks: [NO_REPOSITORY], hasRepository: false, ages: {} }),
    }),
    outcome: 'completed',
    calls: ['listPlans', 'surveyReadiness', 'keepEvaluation(good: action-required)'],
  },
  {
    name: 'evaluate-plans/refused-and-in-the-way',
    workflow: WORKFLOWS.evaluatePlans,
    input: asked,
    planted: () => ({
      listPlans: async () => ({ plans: [listed('refused'), listed('not-possible')] }),
      acceptPlan: async ({ plan }) => {
        if (plan.id === 'refused') failWith('SERVICE_UNKNOWN');
      },
      planRestore: async () => failWith('BACKUP_NOT_FOUND'),
    }),
    outcome: 'completed',
    calls: [
      'listPlans',
      'surveyReadiness',
      'acceptPlan',
      'keepEvaluation(refused: action-required)',
      'acceptPlan',
      ...STEPS,
      'keepEvaluation(not-possible: action-required)',
    ],
  },
];

/** Paths of runs that schedules start. */
export const SCHEDULE_SCENARIOS: readonly Scenario[] = [...RUNS, ...EVALUATIONS];
