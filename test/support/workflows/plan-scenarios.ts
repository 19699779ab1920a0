import { WorkflowUpdateFailedError } from '@temporalio/client';
import { resolvePlan } from '../../../src/config/plans/resolve-plan.ts';
import { SIGNALS, WORKFLOWS } from '../../../src/contract/names.ts';
import { DEFAULT_PLAN } from '../../../src/domain/plan/default-plan.ts';
import type { ErrorCode } from '../../../src/domain/errors.ts';
import type { PlanRunView } from '../../../src/domain/plan/run-view.ts';
import { steer, until } from './plan-steering.ts';
import { BACKUP_RECORD, failWith, PLAN, streamUntilCancelled, type Activities } from './fakes.ts';
import type { Scenario } from './scenario.ts';

const asked = { group: 'scenario', requestedBy: 'starter@here' };
const workflow = WORKFLOWS.runPlan;
const OTHER = 'approver@there';

function inputOf(document: unknown, more: object = {}, find?: (planId: string) => unknown): object {
  const { plan, digest } = resolvePlan('scenario', document, find === undefined ? {} : { find });
  const run = { runId: 'run-2026-01-02T03-04-05-678Z', mode: 'graceful', parameters: {} };
  return { ...asked, ...run, plan, digest, ...more };
}

/** A plan of commands: what is called is its steps. */
function commands(...steps: readonly object[]): object {
  return {
    id: 'commands',
    name: 'Commands',
    steps: steps.map((step, index) => {
      const id = `s${index + 1}`;
      return { id, name: id, type: 'command', order: index + 1, config: { command: id }, ...step };
    }),
  };
}

const back = (command: string): object => ({ compensation: { type: 'command', config: { command } } });
const ran = (name: string): string => `runCommand(${name})`;
const reported = (state: string, ...steps: readonly string[]): string => `keepRunReport(${state}: ${steps.join(', ')})`;

/** Fails as often as is said, then works. */
function failing(
  times: Readonly<Record<string, number>>,
  code: ErrorCode = 'COMMAND_UNKNOWN',
): Activities['runCommand'] {
  const left = new Map(Object.entries(times));
  return async ({ command }) => {
    const rest = left.get(command) ?? 0;
    left.set(command, rest - 1);
    if (rest > 0) failWith(code);
    return { durationMs: 1, lastLine: '' };
  };
}

/** A refusal never reaches the history; its code does reach whoever asked. */
async function expectRefusal(asking: Promise<unknown>, code: ErrorCode): Promise<void> {
  const found = await asking.then(
    () => 'accepted',
    (error: unknown) => (error instanceof WorkflowUpdateFailedError ? (error.cause as { type?: string }).type : error),
  );
  if (found !== code) throw new Error(`refused with ${String(found)}, not ${code}`, { cause: found });
}

const waits = ({ state }: PlanRunView): boolean => state === 'waiting';
const BACKUP = ['surveySources', 'beginBackup', ['copyPostgres', 'copyRedis'], 'publishBackup'] as const;
const PREPARE = ['restorePostgresAside', 'checkRedisSnapshot'] as const;
const RESTORE = ['planRestore', PREPARE, `restoreRedis(${BACKUP_RECORD.id})`, 'swapDatabase', 'recordRestore'] as const;
const UNDO = ['loadRestore', 'stopServices', 'restoreRedis(backup-saved)', 'undoSwap', 'startServices'] as const;
const overNothing: Activities['planRestore'] = async () => ({
  ...PLAN,
  services: [],
  redis: PLAN.redis && { ...PLAN.redis, replacesKeys: 0 },
});
const untilChecked: Activities['runChecks'] = async () => ({
  checks: [{ name: 'rows', status: 'fail', expected: '1', actual: '0', message: 'none' }],
});

/** Paths of a run of a recovery plan. */
export const PLAN_SCENARIOS: readonly Scenario[] = [
  {
    name: 'run-plan/default-plan',
    workflow,
    input: inputOf(DEFAULT_PLAN),
    planted: () => ({ planRestore: overNothing }),
    outcome: 'completed',
    calls: [
      'acceptPlan',
      ...BACKUP,
      ...RESTORE,
      'runChecks',
      'namesOf',
      'stopServices',
      'startServices',
      'notify',
      reported('succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded', 'succeeded'),
    ],
  },
  {
    name: 'run-plan/ungraceful-without-services',
    workflow,
    input: inputOf(DEFAULT_PLAN, { mode: 'ungraceful' }),
    planted: () => ({ planRestore: overNothing, namesOf: async () => ({ names: [] }) }),
    outcome: 'completed',
    calls: [
      'acceptPlan',
      ...RESTORE,
      'runChecks',
      'namesOf',
      'notify',
      reported('succeeded', 'skipped', 'succeeded', 'succeeded', 'succeeded', 'succeeded'),
    ],
  },
  {
    name: 'run-plan/emergency-backup-fails-and-it-goes-on',
    workflow,
    input: inputOf(DEFAULT_PLAN),
    planted: () => ({ planRestore: overNothing, surveySources: async () => failWith('SOURCE_NOT_CONFIGURED') }),
    outcome: 'completed',
    calls: [
      'acceptPlan',
      'surveySources',
      ...RESTORE,
      'runChecks',
      'namesOf',
      'stopServices',
      'startServices',
      'notify',
      reported('partial', 'failed', 'succeeded', 'succeeded', 'succeeded', 'succeeded'),
    ],
  },
  {
    name: 'run-plan/validation-fails-and-the-restore-is-taken-back',
    workflow,
    input: inputOf(DEFAULT_PLAN, { mode: 'ungraceful' }),
    planted: () => ({ planRestore: overNothing, runChecks: untilChecked }),
    drive: async (handle) => {
      await until(handle, waits);
      await steer(handle, { action: 'abort', reason: 'the wrong backup' });
    },
    outcome: 'PLAN_ABORTED',
    calls: [
      'acceptPlan',
      ...RESTORE,
      'runChecks',
      ...UNDO,
      reported('aborted', 'skipped', 'succeeded', 'failed', 'pending', 'pending'),
    ],
  },
  {
    name: 'run-plan/refused',
    workflow,
    input: inputOf(commands({})),
    planted: () => ({ acceptPlan: async () => failWith('PLAN_DIGEST_MISMATCH') }),
    outcome: 'PLAN_DIGEST_MISMATCH',
    calls: ['acceptPlan'],
  },
  {
    name: 'run-plan/equal-order-at-once',
    workflow,
    input: inputOf(commands({ order: 1 }, { order: 1 }, { order: 2 })),
    outcome: 'completed',
    calls: [
      'acceptPlan',
      [ran('s1'), ran('s2')],
      ran('s3'),
      reported('succeeded', 'succeeded', 'succeeded', 'succeeded'),
    ],
  },
  {
    name: 'run-plan/failure-takes-back-newest-first',
    workflow,
    input: inputOf(commands(back('b1'), {}, back('b3'), { order: 4 }, { order: 5 })),
    planted: () => ({ runCommand: failing({ s4: 1 }) }),
    outcome: 'PLAN_FAILED',
    calls: [
      'acceptPlan',
      ...['s1', 's2', 's3', 's4', 'b3', 'b1'].map(ran),
      reported('failed', 'succeeded', 'succeeded', 'succeeded', 'failed', 'pending'),
    ],
  },
  {
    name: 'run-plan/a-step-back-fails-too',
    workflow,
    input: inputOf(commands(back('b1'), back('b2'), {})),
    planted: () => ({ runCommand: failing({ s3: 1, b2: 1 }) }),
    outcome: 'PLAN_FAILED',
    calls: [
      'acceptPlan',
      ...['s1', 's2', 's3', 'b2', 'b1'].map(ran),
      reported('failed', 'succeeded', 'succeeded', 'failed'),
    ],
  },
  {
    name: 'run-plan/past-the-point-of-no-return-it-waits',
    workflow,
    input: inputOf(commands({ ...back('b1'), pointOfNoReturn: true }, {})),
    planted: () => ({ runCommand: failing({ s2: 1 }) }),
    drive: async (handle) => {
      await until(handle, waits);
      await steer(handle, { action: 'retry', step: 's2' });
    },
    outcome: 'completed',
    calls: ['acceptPlan', ...['s1', 's2', 's2'].map(ran), reported('succeeded', 'succeeded', 'succeeded')],
  },
  {
    name: 'run-plan/retried-by-the-plan',
    workflow,
    input: inputOf(commands({ retry: { maxAttempts: 3, interval: '100ms' } }, {})),
    planted: () => ({ runCommand: failing({ s1: 2 }) }),
    outcome: 'completed',
    calls: ['acceptPlan', ...['s1', 's1', 's1', 's2'].map(ran), reported('succeeded', 'succeeded', 'succeeded')],
  },
  {
    name: 'run-plan/failed-and-skipped-by-a-person',
    workflow,
    input: inputOf(commands({ onFailure: 'pause' }, { when: { step: 's1', is: 'failed' } }, {})),
    planted: () => ({ runCommand: failing({ s1: 1 }) }),
    drive: async (handle) => {
      await until(handle, waits);
      await expectRefusal(steer(handle, { action: 'retry', step: 's3' }), 'PLAN_STEERING_REFUSED');
      await expectRefusal(steer(handle, { action: 'retry', step: 'nowhere' }), 'PLAN_STEP_UNKNOWN');
      await expectRefusal(steer(handle, { action: 'resume' }), 'PLAN_STEERING_REFUSED');
      await expectRefusal(steer(handle, { action: 'skip', reason: ' ' }), 'PLAN_STEERING_REFUSED');
      await steer(handle, { action: 'skip' });
    },
    outcome: 'completed',
    calls: ['acceptPlan', ran('s1'), ran('s3'), reported('succeeded', 'skipped', 'skipped', 'succeeded')],
  },
  {
    name: 'run-plan/paused-and-resumed',
    workflow,
    input: inputOf(commands({ type: 'wait', config: { for: '1s' } }, {})),
    drive: async (handle) => {
      await until(handle, ({ steps }) => steps[0]?.status === 'running');
      await steer(handle, { action: 'pause' });
      await until(handle, ({ steps }) => steps[0]?.status === 'succeeded');
      await expectRefusal(steer(handle, { action: 'pause' }), 'PLAN_STEERING_REFUSED');
      await steer(handle, { action: 'resume' });
    },
    outcome: 'completed',
    calls: ['acceptPlan', ran('s2'), reported('succeeded', 'succeeded', 'succeeded')],
  },
  {
    name: 'run-plan/approved-by-another-person',
    workflow,
    input: inputOf(commands({ type: 'approval', config: { message: 'replace production' } }, {})),
    drive: async (handle) => {
      const { digest } = await until(handle, waits);
      const refused = [
        { digest },
        { by: OTHER },
        { by: OTHER, digest: digest.slice(0, 4) },
        { by: OTHER, digest: 'f'.repeat(64) },
      ];
      for (const more of refused) {
        await expectRefusal(steer(handle, { action: 'approve', ...more }), 'PLAN_APPROVAL_REFUSED');
      }
      await steer(handle, { action: 'approve', step: 's1', by: OTHER, digest: digest.slice(0, 12) });
    },
    outcome: 'completed',
    calls: ['acceptPlan', ran('s2'), reported('succeeded', 'succeeded', 'succeeded')],
  },
  {
    name: 'run-plan/approval-does-not-come',
    workflow,
    input: inputOf(commands(back('b1'), { type: 'approval', config: {}, timeout: '300ms' }, {})),
    outcome: 'PLAN_FAILED',
    calls: ['acceptPlan', ran('s1'), ran('b1'), reported('failed', 'succeeded', 'failed', 'pending')],
  },
  {
    name: 'run-plan/approval-comes-late',
    workflow,
    input: inputOf(commands({ type: 'approval', config: {}, timeout: '300ms', onFailure: 'pause' }, {})),
    drive: async (handle) => {
      const { digest } = await until(handle, ({ steps }) => steps[0]?.status === 'waiting');
      const late = steer(handle, { action: 'approve', step: 's1', by: OTHER, digest });
      await expectRefusal(late, 'PLAN_STEERING_REFUSED');
      await steer(handle, { action: 'abort' });
    },
    outcome: 'PLAN_ABORTED',
    calls: ['acceptPlan', reported('aborted', 'failed', 'pending')],
  },
  {
    name: 'run-plan/a-step-takes-too-long',
    workflow,
    input: inputOf(commands({ timeout: '1s', onFailure: 'continue' }, {})),
    planted: () => ({
      runCommand: async ({ command }) => {
        if (command === 's1') await streamUntilCancelled();
        return { durationMs: 1, lastLine: '' };
      },
    }),
    outcome: 'completed',
    calls: ['acceptPlan', ran('s1'), ran('s2'), reported('partial', 'failed', 'succeeded')],
  },
  {
    name: 'run-plan/aborted-while-a-child-runs',
    workflow,
    input: inputOf(commands(back('b1'), { type: 'backup', config: {} }, {})),
    planted: () => ({ copyPostgres: streamUntilCancelled }),
    drive: async (handle, calls) => {
      while (!calls.includes('copyPostgres')) await new Promise((resolve) => setTimeout(resolve, 20));
      await steer(handle, { action: 'abort', reason: 'the wrong plan' });
    },
    outcome: 'PLAN_ABORTED',
    calls: [
      'acceptPlan',
      ran('s1'),
      'surveySources',
      'beginBackup',
      ['copyPostgres', 'copyRedis'],
      'discardBackup',
      ran('b1'),
      reported('aborted', 'succeeded', 'failed', 'pending'),
    ],
  },
  {
    name: 'run-plan/cancelled',
    workflow,
    input: inputOf(commands(back('b1'), {}, {})),
    planted: () => ({
      runCommand: async ({ command }) => {
        if (command === 's2') await streamUntilCancelled();
        return { durationMs: 1, lastLine: '' };
      },
    }),
    drive: async (handle, calls) => {
      while (!calls.includes(ran('s2'))) await new Promise((resolve) => setTimeout(resolve, 20));
      await handle.signal(SIGNALS.cancel, { reason: 'not now', by: 'starter@here' });
    },
    outcome: 'cancelled',
    calls: ['acceptPlan', ...['s1', 's2', 'b1'].map(ran), reported('aborted', 'succeeded', 'failed', 'pending')],
  },
  {
    name: 'run-plan/switched-to-ungraceful',
    workflow,
    input: inputOf(
      commands({ onFailure: 'pause' }, { ungraceful: 'skip' }, { ungraceful: { config: { command: 'quick' } } }),
    ),
    planted: () => ({ runCommand: failing({ s1: 1 }) }),
    drive: async (handle) => {
      await until(handle, waits);
      await steer(handle, { action: 'ungraceful' });
      await expectRefusal(steer(handle, { action: 'ungraceful' }), 'PLAN_STEERING_REFUSED');
      await steer(handle, { action: 'retry' });
    },
    outcome: 'completed',
    calls: [
      'acceptPlan',
      ...['s1', 's1', 'quick'].map(ran),
      reported('succeeded', 'succeeded', 'skipped', 'succeeded'),
    ],
  },
  {
    name: 'run-plan/plan-in-a-plan',
    workflow,
    input: inputOf(
      {
        id: 'outer',
        name: 'Outer',
        steps: [{ id: 'all', name: 'All', type: 'plan', order: 1, config: { planId: 'commands' } }],
      },
      {},
      () => commands({}, {}),
    ),
    outcome: 'completed',
    calls: [
      'acceptPlan',
      'acceptPlan',
      ...['s1', 's2'].map(ran),
      reported('succeeded', 'succeeded', 'succeeded'),
      reported('succeeded', 'succeeded'),
    ],
  },
  {
    name: 'run-plan/report-cannot-be-written',
    workflow,
    input: inputOf(commands({})),
    planted: () => ({ keepRunReport: async () => failWith('OBJECT_DAMAGED') }),
    outcome: 'completed',
    calls: ['acceptPlan', ran('s1'), reported('succeeded', 'succeeded')],
  },
  {
    name: 'evaluate-plan/possible',
    workflow: WORKFLOWS.evaluatePlan,
    input: { ...inputOf(DEFAULT_PLAN), definition: 'a'.repeat(64) },
    outcome: 'completed',
    calls: ['acceptPlan', 'surveySources', 'planRestore', 'namesOf', 'namesOf', 'recordVerification'],
  },
  {
    name: 'evaluate-plan/a-step-is-not-possible',
    workflow: WORKFLOWS.evaluatePlan,
    input: { ...inputOf(DEFAULT_PLAN), mode: 'ungraceful', definition: 'a'.repeat(64) },
    planted: () => ({ planRestore: async () => failWith('BACKUP_NOT_FOUND') }),
    outcome: 'completed',
    calls: ['acceptPlan', 'planRestore', 'namesOf', 'namesOf'],
  },
  {
    name: 'plan-records/verifications',
    workflow: WORKFLOWS.planRecords,
    input: { ...asked, ask: 'verifications', planIds: ['default-recovery'] },
    outcome: 'completed',
    calls: ['readPlanRecords'],
  },
  {
    name: 'plan-records/report',
    workflow: WORKFLOWS.planRecords,
    input: { ...asked, ask: 'report', runId: null },
    planted: () => ({ readPlanRecords: async () => failWith('PLAN_RUN_NOT_FOUND') }),
    outcome: 'PLAN_RUN_NOT_FOUND',
    calls: ['readPlanRecords'],
  },
];
