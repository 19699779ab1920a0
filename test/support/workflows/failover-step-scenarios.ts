import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { resolvePlan } from '../../../src/config/plans/resolve-plan.ts';
import { SIGNALS, WORKFLOWS } from '../../../src/contract/names.ts';
import type { ErrorCode } from '../../../src/domain/errors.ts';
import { FAILOVER, failWith, FENCE, LOSS, PROMOTED, RETURN, type Activities } from './fakes.ts';
import { steer, until } from './plan-steering.ts';
import type { Scenario } from './scenario.ts';

const workflow = WORKFLOWS.runPlan;
const OTHER = 'approver@there';
const UNKNOWN = ['how far b is behind is unknown: the primary was never seen'];

type Step = readonly [id: string, type: string, config: object, more?: object];

/** A run of these steps, one after the other. */
function runOf(mode: 'graceful' | 'ungraceful', ...steps: readonly Step[]): object {
  const document = steps.map(([id, type, config, more], index) => ({
    id,
    name: id,
    type,
    order: index + 1,
    config,
    ...more,
  }));
  const { plan, digest } = resolvePlan('roles', { id: 'roles', name: 'Roles', steps: document });
  const run = { group: 'scenario', requestedBy: 'starter@here', runId: 'run-2026-01-02T03-04-05-678Z' };
  return { ...run, mode, parameters: {}, plan, digest };
}

const fence: Step = ['fence', 'fence', { targetRegion: 'b' }];
const promote: Step = ['promote', 'promote', { targetRegion: 'b' }];
const rejoin: Step = ['rejoin', 'rejoin', { region: 'a' }];
const repoint: Step = ['repoint', 'repoint', { targetRegion: 'b' }];
const approval = (id: string): Step => [id, 'approval', {}];

const ASK = 'observeFailover';
const FENCED = ['takeAuthority(scenario-postgres)', 'fencePrimary'] as const;
const HAND_OVER = ['takeAuthority(scenario-redis)', 'handOverRedis', 'measureRedisLoss'] as const;
const REJOINED = [
  'planRejoin',
  'takeAuthority(scenario-postgres)',
  'rejoinPostgres',
  'takeAuthority(scenario-redis)',
  'rejoinRedis',
] as const;
const reported = (state: string, ...steps: readonly string[]): string => `keepRunReport(${state}: ${steps.join(', ')})`;

/** PostgreSQL alone, its primary lost. */
const lost: Activities['observeFailover'] = async () => ({
  ...FAILOVER,
  redis: null,
  postgres: { ...FAILOVER.postgres!, way: 'ungraceful', primaryLsn: null, approvals: UNKNOWN },
});
const crashed: Activities['fencePrimary'] = async () => ({ ...FENCE, kind: 'crashed' });
const diverged: Activities['planRejoin'] = async ({ region }) => ({
  region,
  redis: null,
  postgres: { ...RETURN, service: 'scenario-postgres', timeline: 1, forkLsn: LOSS.forkLsn, missing: LOSS },
});

/** As after all attempts: the waits between them are none of these paths. */
function failForGood(code: ErrorCode): never {
  throw ApplicationFailure.nonRetryable(`planted ${code}`, code);
}

/** Another person approves what waits for it, once what it is told of is there. */
async function approve(handle: WorkflowHandle, step: string, about: string): Promise<void> {
  const run = await until(
    handle,
    ({ state, waitsFor }) => state === 'waiting' && waitsFor[0]?.startsWith(step) === true,
  );
  if (run.waitsFor[0]?.includes(about) !== true) throw new Error(`it waits for ${run.waitsFor.join('; ')}`);
  await steer(handle, { action: 'approve', step, by: OTHER, digest: run.digest });
}

/** Time enough for somebody to say stop. */
async function slowly<T>(answer: T): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return answer;
}

async function abortAt(handle: WorkflowHandle, calls: readonly string[], call: string): Promise<void> {
  while (!calls.includes(call)) await new Promise((resolve) => setTimeout(resolve, 20));
  await steer(handle, { action: 'abort' });
}

/** The run waits for a person after this. */
async function abortAfter(handle: WorkflowHandle, code: string): Promise<void> {
  const { waitsFor } = await until(handle, (run) => run.waitsFor.some((one) => one.includes('retry, skip or abort')));
  if (!waitsFor.join(' ').includes(code)) throw new Error(`it waits for ${waitsFor.join('; ')}`);
  await steer(handle, { action: 'abort' });
}

/** Paths of a change of roles in steps of its own. */
export const FAILOVER_STEP_SCENARIOS: readonly Scenario[] = [
  {
    name: 'run-plan/fence-promote-repoint-and-rejoin',
    workflow,
    input: runOf('graceful', fence, promote, repoint, rejoin),
    planted: () => ({ namesOf: async () => ({ names: ['app', 'reports'] }) }),
    outcome: 'completed',
    calls: [
      'acceptPlan',
      ASK,
      'proveLine',
      ...FENCED,
      'awaitCaughtUp',
      ASK,
      'promoteStandby(clean)',
      'measureLoss',
      ...HAND_OVER,
      'namesOf',
      'repointEndpoint',
      'repointEndpoint',
      ...REJOINED,
      reported('succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded'),
    ],
  },
  {
    name: 'run-plan/fence-and-promote-what-is-primary',
    workflow,
    input: runOf('graceful', fence, promote),
    planted: () => ({
      observeFailover: async () => ({
        ...FAILOVER,
        postgres: { ...FAILOVER.postgres!, way: 'done' },
        redis: { ...FAILOVER.redis!, way: 'done' },
      }),
    }),
    outcome: 'completed',
    calls: ['acceptPlan', ASK, ASK, reported('succeeded', 'succeeded', 'succeeded')],
  },
  {
    name: 'run-plan/promote-and-rejoin-with-losses-that-were-approved',
    workflow,
    input: runOf('ungraceful', fence, approval('take-it-on'), promote, approval('give-it-up'), rejoin),
    planted: () => ({
      observeFailover: lost,
      fencePrimary: crashed,
      measureLoss: async () => LOSS,
      planRejoin: diverged,
    }),
    drive: async (handle) => {
      await approve(handle, 'take-it-on', 'a is fenced: it had crashed; a promotion of b now: exact loss 300 bytes, 3');
      await approve(handle, 'give-it-up', 'promote: exact loss 300 bytes, 3 transactions, 1 s');
    },
    outcome: 'completed',
    calls: [
      'acceptPlan',
      ASK,
      ...FENCED,
      'countMissing',
      ASK,
      'promoteStandby(approved)',
      'measureLoss',
      'planRejoin',
      'takeAuthority(scenario-postgres)',
      'rejoinPostgres',
      reported('succeeded', ...Array.from({ length: 5 }, () => 'succeeded')),
    ],
  },
  {
    name: 'run-plan/promote-a-standby-that-did-not-catch-up',
    workflow,
    input: runOf('ungraceful', fence, approval('confirm'), promote),
    planted: () => ({
      observeFailover: lost,
      awaitCaughtUp: async () => failForGood('FAILOVER_NOT_CAUGHT_UP'),
      countMissing: async () => failWith('FAILOVER_EPOCH_DAMAGED'),
    }),
    drive: async (handle) =>
      approve(handle, 'confirm', 'a promotion of b now: estimate loss an unknown number of bytes'),
    outcome: 'completed',
    calls: [
      'acceptPlan',
      ASK,
      ...FENCED,
      'awaitCaughtUp',
      'countMissing',
      ASK,
      'promoteStandby(approved)',
      'measureLoss',
      reported('succeeded', 'succeeded', 'succeeded', 'succeeded'),
    ],
  },
  {
    name: 'run-plan/an-approval-from-before-the-fence-is-none-of-its-loss',
    workflow,
    input: runOf('ungraceful', approval('confirm'), fence, promote),
    planted: () => ({ observeFailover: lost, fencePrimary: crashed }),
    drive: async (handle) => {
      await approve(handle, 'confirm', 'an approval');
      await abortAfter(handle, 'FAILOVER_FENCE_UNPROVEN');
    },
    outcome: 'PLAN_ABORTED',
    calls: ['acceptPlan', ASK, ...FENCED, 'countMissing', ASK, reported('aborted', 'succeeded', 'succeeded', 'failed')],
  },
  {
    name: 'run-plan/promote-where-the-host-is-away',
    workflow,
    input: runOf(
      'ungraceful',
      ['fence', 'fence', { targetRegion: 'b' }, { onFailure: 'continue' }],
      approval('confirm'),
      promote,
    ),
    planted: () => ({ observeFailover: lost, fencePrimary: async () => failForGood('TOOL_MISSING') }),
    drive: async (handle) => approve(handle, 'confirm', 'fence has failed: planted TOOL_MISSING'),
    outcome: 'completed',
    calls: [
      'acceptPlan',
      ASK,
      ...FENCED,
      ASK,
      ...FENCED,
      'promoteStandby(approved)',
      'measureLoss',
      reported('partial', 'failed', 'succeeded', 'succeeded'),
    ],
  },
  {
    name: 'run-plan/promote-beside-a-primary-that-runs',
    workflow,
    input: runOf('graceful', approval('confirm'), promote),
    drive: async (handle) => {
      await approve(handle, 'confirm', 'an approval');
      await abortAfter(handle, 'FAILOVER_FENCE_UNPROVEN');
    },
    outcome: 'PLAN_ABORTED',
    calls: ['acceptPlan', ASK, reported('aborted', 'succeeded', 'failed')],
  },
  {
    name: 'run-plan/fence-of-a-crashed-primary-in-the-graceful-mode',
    workflow,
    input: runOf('graceful', fence, promote),
    planted: () => ({ awaitCaughtUp: async () => failWith('FAILOVER_FENCE_UNPROVEN'), fencePrimary: crashed }),
    outcome: 'PLAN_FAILED',
    calls: ['acceptPlan', ASK, 'proveLine', ...FENCED, 'awaitCaughtUp', reported('failed', 'failed', 'pending')],
  },
  {
    name: 'run-plan/aborted-while-it-fences',
    workflow,
    input: runOf('graceful', fence, promote),
    planted: () => ({ fencePrimary: async () => slowly(FENCE) }),
    drive: async (handle, calls) => abortAt(handle, calls, 'fencePrimary'),
    outcome: 'PLAN_ABORTED',
    calls: ['acceptPlan', ASK, 'proveLine', ...FENCED, reported('aborted', 'failed', 'pending')],
  },
  {
    name: 'run-plan/aborted-while-it-promotes',
    workflow,
    input: runOf('graceful', fence, promote, rejoin),
    planted: () => ({ promoteStandby: async () => slowly(PROMOTED) }),
    drive: async (handle, calls) => abortAt(handle, calls, 'promoteStandby(clean)'),
    outcome: 'PLAN_ABORTED',
    calls: [
      'acceptPlan',
      ASK,
      'proveLine',
      ...FENCED,
      'awaitCaughtUp',
      ASK,
      'promoteStandby(clean)',
      'measureLoss',
      ...HAND_OVER,
      reported('aborted', 'succeeded', 'succeeded', 'pending'),
    ],
  },
  {
    name: 'failover/cancelled-while-it-promotes',
    workflow: WORKFLOWS.failover,
    input: {
      group: 'scenario',
      requestedBy: 'starter@here',
      targetRegion: 'b',
      mode: 'graceful',
      holder: 'run-1.s',
      approvedBy: null,
    },
    planted: () => ({ promoteStandby: async () => slowly(PROMOTED) }),
    drive: async (handle, calls) => {
      while (!calls.includes('promoteStandby(clean)')) await new Promise((resolve) => setTimeout(resolve, 20));
      await handle.signal(SIGNALS.cancel, { reason: 'not now', by: 'starter@here' });
    },
    outcome: 'completed',
    calls: [ASK, 'proveLine', ...FENCED, 'awaitCaughtUp', 'promoteStandby(clean)', 'measureLoss', ...HAND_OVER],
  },
  {
    name: 'run-plan/rejoin-that-nobody-has-given-anything-up-for',
    workflow,
    input: runOf('graceful', rejoin),
    planted: () => ({ planRejoin: diverged }),
    outcome: 'PLAN_FAILED',
    calls: ['acceptPlan', 'planRejoin', reported('failed', 'failed')],
  },
  {
    name: 'run-plan/rejoin-with-a-loss-that-was-named',
    workflow,
    input: runOf('graceful', approval('confirm'), ['rejoin', 'rejoin', { region: 'a', giveUpTransactions: '3' }]),
    planted: () => ({ planRejoin: diverged }),
    drive: async (handle) => approve(handle, 'confirm', 'an approval'),
    outcome: 'completed',
    calls: [
      'acceptPlan',
      'planRejoin',
      'takeAuthority(scenario-postgres)',
      'rejoinPostgres',
      reported('succeeded', 'succeeded', 'succeeded'),
    ],
  },
  {
    name: 'run-plan/repoint-without-endpoints',
    workflow,
    input: runOf('graceful', repoint),
    planted: () => ({ namesOf: async () => ({ names: [] }) }),
    outcome: 'completed',
    calls: ['acceptPlan', 'namesOf', reported('succeeded', 'succeeded')],
  },
  {
    name: 'evaluate-plan/fence-promote-repoint-and-rejoin',
    workflow: WORKFLOWS.evaluatePlan,
    input: { ...runOf('graceful', fence, promote, repoint, rejoin), definition: 'a'.repeat(64) },
    outcome: 'completed',
    calls: ['acceptPlan', ASK, ASK, 'recordVerification'],
  },
];
