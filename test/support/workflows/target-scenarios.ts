import { SIGNALS, WORKFLOWS } from '../../../src/contract/names.ts';
import { CLEANUP_PLAN, failWith, streamUntilCancelled } from './fakes.ts';
import type { Scenario } from './scenario.ts';

const asked = { group: 'scenario', requestedBy: 'tester@here' };
const input = { ...asked, target: 'us-west-2', dryRun: false };
const workflow = WORKFLOWS.cleanupTarget;
const cancel = { reason: 'not now', by: 'tester@here' };
const withTargets: Scenario['planted'] = () => ({
  planCleanup: async () => ({ ...CLEANUP_PLAN, targets: ['remote', 'remote'] }),
});

const CLEANED = ['planCleanup', 'hideRemoved', 'purgeHidden', 'removeUnreferenced', 'dropReplaced'] as const;

/** The runs that another one starts go on beside it: they are waited for. */
async function until(calls: readonly string[], call: string, times = 1): Promise<void> {
  while (calls.filter((one) => one === call).length < times) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Once more, and then it is told to end: it has no end of its own. */
const twiceThenCancelled = (call: string): NonNullable<Scenario['drive']> =>
  async function drive(handle, calls) {
    await until(calls, call, 2);
    await handle.signal(SIGNALS.cancel, cancel);
  };

/** Cleanup at targets, what starts it, and the journals on their way there. */
export const TARGET_SCENARIOS: readonly Scenario[] = [
  {
    name: 'cleanup-target/success',
    workflow,
    input,
    outcome: 'completed',
    calls: ['planTargetCleanup', 'cleanTarget'],
  },
  {
    name: 'cleanup-target/dry-run',
    workflow,
    input: { ...input, dryRun: true, includeDamaged: true },
    outcome: 'completed',
    calls: ['planTargetCleanup'],
  },
  {
    name: 'cleanup-target/nothing-copied-yet',
    workflow,
    input,
    planted: () => ({ planTargetCleanup: async () => ({ plan: null }) }),
    outcome: 'completed',
    calls: ['planTargetCleanup'],
  },
  {
    name: 'cleanup-target/foreign-target',
    workflow,
    input,
    planted: () => ({ planTargetCleanup: async () => failWith('TARGET_FOREIGN') }),
    outcome: 'TARGET_FOREIGN',
    calls: ['planTargetCleanup'],
  },
  {
    name: 'cleanup-target/cancelled-while-removing',
    workflow,
    input,
    planted: () => ({ cleanTarget: streamUntilCancelled }),
    drive: async (handle, calls) => {
      await until(calls, 'cleanTarget');
      await handle.signal(SIGNALS.cancel, cancel);
    },
    outcome: 'cancelled',
    calls: ['planTargetCleanup', 'cleanTarget'],
  },
  {
    name: 'cleanup/targets-follow',
    workflow: WORKFLOWS.cleanup,
    input: { ...asked, dryRun: false },
    planted: withTargets,
    drive: async (_, calls) => until(calls, 'cleanTarget'),
    outcome: 'completed',
    calls: [...CLEANED, 'planTargetCleanup', 'cleanTarget'],
  },
  {
    name: 'cleanup/dry-run-with-targets',
    workflow: WORKFLOWS.cleanup,
    input: { ...asked, dryRun: true },
    planted: withTargets,
    drive: async (_, calls) => until(calls, 'planTargetCleanup'),
    outcome: 'completed',
    calls: ['planCleanup', 'planTargetCleanup'],
  },
  {
    name: 'copy-journals/not-configured',
    workflow: WORKFLOWS.copyJournals,
    input: { ...asked, target: 'us-west-2' },
    planted: () => ({ copyJournals: async () => ({ end: 'not-configured', problems: [] }) }),
    outcome: 'completed',
    calls: ['copyJournals'],
  },
  {
    name: 'copy-journals/goes-on-after-a-hand-over',
    workflow: WORKFLOWS.copyJournals,
    input: { ...asked, target: 'us-west-2' },
    planted: handsOverOnce,
    drive: twiceThenCancelled('copyJournals'),
    outcome: 'cancelled',
    calls: ['copyJournals', 'copyJournals'],
  },
  {
    name: 'copy-journals/trouble-is-shown-and-waited-out',
    workflow: WORKFLOWS.copyJournals,
    input: { ...asked, target: 'us-west-2' },
    planted: () => ({ copyJournals: async () => failWith('TARGET_FOREIGN') }),
    drive: async (handle, calls) => {
      await until(calls, 'copyJournals');
      await handle.signal(SIGNALS.cancel, cancel);
    },
    outcome: 'cancelled',
    calls: ['copyJournals'],
  },
];

/** With a damaged chapter named once; then it follows until it is told to end. */
function handsOverOnce(): ReturnType<NonNullable<Scenario['planted']>> {
  const problems = [{ backupId: 'journals/redis', key: 'k', code: 'JOURNAL_DAMAGED', message: 'k: missing' }];
  let rounds = 0;
  return {
    copyJournals: async () => {
      rounds += 1;
      return rounds === 1 ? { end: 'handed-over', problems } : streamUntilCancelled();
    },
  };
}
