import { resolvePlan } from '../../../src/config/plans/resolve-plan.ts';
import { SIGNALS, WORKFLOWS } from '../../../src/contract/names.ts';
import type { FailoverPlan } from '../../../src/domain/failover/failover-plan.ts';
import { FAILOVER, failWith, FENCE, type Activities } from './fakes.ts';
import type { Scenario } from './scenario.ts';

const workflow = WORKFLOWS.failover;
const asked = { group: 'scenario', requestedBy: 'starter@here' };
const input = { ...asked, targetRegion: 'b', mode: 'graceful', holder: 'run-1.switch', approvedBy: null };
const lost = { ...input, mode: 'ungraceful' };
const approved = { ...lost, approvedBy: 'approver@there' };

const ASK = ['observeFailover', 'proveLine'] as const;
const POSTGRES = ['takeAuthority(scenario-postgres)', 'fencePrimary', 'awaitCaughtUp'] as const;
const PROMOTE = ['promoteStandby(clean)', 'measureLoss'] as const;
const HAND_OVER = ['takeAuthority(scenario-redis)', 'handOverRedis', 'measureRedisLoss'] as const;

const UNKNOWN = ['how far b is behind is unknown: the primary was never seen'];
const plan =
  (
    postgres: Partial<NonNullable<FailoverPlan['postgres']>>,
    redis: Partial<NonNullable<FailoverPlan['redis']>> | null = null,
  ): Activities['observeFailover'] =>
  async () => ({
    targetRegion: 'b',
    postgres: { ...FAILOVER.postgres!, ...postgres },
    redis: redis && { ...FAILOVER.redis!, ...redis },
  });
const lostPostgres = plan({ way: 'ungraceful', primaryLsn: null, approvals: UNKNOWN });
const crashed: Activities['fencePrimary'] = async () => ({ ...FENCE, kind: 'crashed' });

/** Every path of a failover. */
export const FAILOVER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'failover/graceful',
    workflow,
    input,
    outcome: 'completed',
    calls: [...ASK, ...POSTGRES, ...PROMOTE, ...HAND_OVER],
  },
  {
    name: 'failover/refused',
    workflow,
    input,
    planted: () => ({ observeFailover: async () => failWith('FAILOVER_SPLIT_BRAIN') }),
    outcome: 'FAILOVER_SPLIT_BRAIN',
    calls: ['observeFailover'],
  },
  {
    name: 'failover/standby-does-not-hear',
    workflow,
    input,
    planted: () => ({ proveLine: async () => failWith('POSTGRES_AUTH_FAILED') }),
    outcome: 'POSTGRES_AUTH_FAILED',
    calls: [...ASK],
  },
  {
    name: 'failover/goes-on-where-the-primary-was-stopped',
    workflow,
    input,
    planted: () => ({ observeFailover: plan({ primaryLsn: null, epoch: 1 }) }),
    outcome: 'completed',
    calls: ['observeFailover', ...POSTGRES, ...PROMOTE],
  },
  {
    name: 'failover/goes-on-where-postgres-is-done',
    workflow,
    input,
    planted: () => ({ observeFailover: plan({ way: 'done', epoch: 1 }, {}) }),
    outcome: 'completed',
    calls: ['observeFailover', ...HAND_OVER],
  },
  {
    name: 'failover/another-run-took-over',
    workflow,
    input,
    planted: () => ({ takeAuthority: async () => failWith('FAILOVER_EPOCH_TAKEN') }),
    outcome: 'FAILOVER_EPOCH_TAKEN',
    calls: [...ASK, 'takeAuthority(scenario-postgres)'],
  },
  {
    name: 'failover/does-not-catch-up',
    workflow,
    input: { ...input, approvedBy: 'approver@there' },
    planted: () => ({ awaitCaughtUp: async () => failWith('FAILOVER_NOT_CAUGHT_UP') }),
    outcome: 'FAILOVER_NOT_CAUGHT_UP',
    calls: [...ASK, ...POSTGRES, ...Array.from({ length: 3 }, () => 'awaitCaughtUp')],
  },
  {
    name: 'failover/cancelled-before-the-promotion',
    workflow,
    input,
    planted: () => ({
      fencePrimary: async () => {
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        return FENCE;
      },
    }),
    drive: async (handle, calls) => {
      while (!calls.includes('fencePrimary')) await new Promise((resolve) => setTimeout(resolve, 20));
      await handle.signal(SIGNALS.cancel, { reason: 'not now', by: 'starter@here' });
    },
    outcome: 'cancelled',
    calls: [...ASK, 'takeAuthority(scenario-postgres)', 'fencePrimary'],
  },
  {
    name: 'failover/ungraceful-after-a-clean-stop',
    workflow,
    input: lost,
    planted: () => ({ observeFailover: lostPostgres }),
    outcome: 'completed',
    calls: ['observeFailover', ...POSTGRES, ...PROMOTE],
  },
  {
    name: 'failover/ungraceful-crashed-and-nobody-approved',
    workflow,
    input: lost,
    planted: () => ({ observeFailover: lostPostgres, fencePrimary: crashed }),
    outcome: 'FAILOVER_FENCE_UNPROVEN',
    calls: ['observeFailover', 'takeAuthority(scenario-postgres)', 'fencePrimary'],
  },
  {
    name: 'failover/ungraceful-crashed-and-approved',
    workflow,
    input: approved,
    planted: () => ({ observeFailover: lostPostgres, fencePrimary: crashed }),
    outcome: 'completed',
    calls: [
      'observeFailover',
      'takeAuthority(scenario-postgres)',
      'fencePrimary',
      'promoteStandby(crashed)',
      'measureLoss',
    ],
  },
  {
    name: 'failover/ungraceful-host-away-and-approved',
    workflow,
    input: approved,
    planted: () => ({
      observeFailover: lostPostgres,
      fencePrimary: async () => failWith('FAILOVER_HOST_UNREADABLE'),
      measureLoss: async () => failWith('FAILOVER_EPOCH_DAMAGED'),
    }),
    outcome: 'completed',
    calls: [
      'observeFailover',
      'takeAuthority(scenario-postgres)',
      ...Array.from({ length: 4 }, () => 'fencePrimary'),
      'promoteStandby(approved)',
      'measureLoss',
    ],
  },
  {
    name: 'failover/ungraceful-behind-and-approved',
    workflow,
    input: approved,
    planted: () => ({ observeFailover: lostPostgres, awaitCaughtUp: async () => failWith('FAILOVER_NOT_CAUGHT_UP') }),
    outcome: 'completed',
    calls: [
      'observeFailover',
      ...POSTGRES,
      ...Array.from({ length: 3 }, () => 'awaitCaughtUp'),
      'promoteStandby(approved)',
      'measureLoss',
    ],
  },
  {
    name: 'failover/ungraceful-an-approval-is-none-of-a-lost-epoch',
    workflow,
    input: approved,
    planted: () => ({ observeFailover: lostPostgres, fencePrimary: async () => failWith('FAILOVER_EPOCH_STALE') }),
    outcome: 'FAILOVER_EPOCH_STALE',
    calls: ['observeFailover', 'takeAuthority(scenario-postgres)', 'fencePrimary'],
  },
  {
    name: 'failover/ungraceful-redis-approved',
    workflow,
    input: approved,
    planted: () => ({ observeFailover: plan({ way: 'done', epoch: 1 }, { way: 'ungraceful', approvals: UNKNOWN }) }),
    outcome: 'completed',
    calls: ['observeFailover', 'takeAuthority(scenario-redis)', 'promoteReplica', 'measureRedisLoss'],
  },
  {
    name: 'failover/ungraceful-redis-that-nobody-approved',
    workflow,
    input: lost,
    planted: () => ({ observeFailover: plan({}, { way: 'ungraceful', approvals: UNKNOWN }) }),
    outcome: 'FAILOVER_FENCE_UNPROVEN',
    calls: ['observeFailover'],
  },
  {
    name: 'run-plan/failover',
    workflow: WORKFLOWS.runPlan,
    input: runOf({}),
    outcome: 'completed',
    calls: ['acceptPlan', ...ASK, ...POSTGRES, ...PROMOTE, ...HAND_OVER, 'keepRunReport(succeeded: succeeded)'],
  },
  {
    name: 'evaluate-plan/failover',
    workflow: WORKFLOWS.evaluatePlan,
    input: { ...runOf({}), definition: 'a'.repeat(64) },
    outcome: 'completed',
    calls: ['acceptPlan', 'observeFailover', 'recordVerification'],
  },
];

function runOf(config: object): object {
  const step = { id: 'switch', name: 'Switch', type: 'failover', order: 1, config: { targetRegion: 'b', ...config } };
  const { plan: resolved, digest } = resolvePlan('scenario', { id: 'switch', name: 'Switch', steps: [step] }, {});
  return { ...asked, runId: 'run-2026-01-02T03-04-05-678Z', mode: 'graceful', parameters: {}, plan: resolved, digest };
}
