import { SIGNALS, WORKFLOWS } from '../../../src/contract/names.ts';
import { failWith, streamUntilCancelled } from './fakes.ts';
import type { Scenario } from './scenario.ts';

const input = {
  group: 'scenario',
  requestedBy: 'tester@here',
  backup: 'latest',
  components: 'stored',
  directory: '/srv/copy',
  dryRun: false,
  to: null,
};
const workflow = WORKFLOWS.restoreToDirectory;

/** Paths of a restore into a directory. */
export const DIRECTORY_SCENARIOS: readonly Scenario[] = [
  {
    name: 'restore-to-directory/success',
    workflow,
    input,
    outcome: 'completed',
    calls: ['planDirectory', 'writeDirectory'],
  },
  {
    name: 'restore-to-directory/dry-run',
    workflow,
    input: { ...input, dryRun: true },
    outcome: 'completed',
    calls: ['planDirectory'],
  },
  {
    name: 'restore-to-directory/refused',
    workflow,
    input,
    planted: () => ({ planDirectory: async () => failWith('RESTORE_DIRECTORY_NOT_EMPTY') }),
    outcome: 'RESTORE_DIRECTORY_NOT_EMPTY',
    calls: ['planDirectory'],
  },
  {
    name: 'restore-to-directory/writing-fails',
    workflow,
    input,
    planted: () => ({ writeDirectory: async () => failWith('RESTORE_CONTENT_MISMATCH') }),
    outcome: 'RESTORE_CONTENT_MISMATCH',
    calls: ['planDirectory', 'writeDirectory', 'clearDirectory'],
  },
  {
    name: 'restore-to-directory/cancelled-while-writing',
    workflow,
    input,
    planted: () => ({ writeDirectory: streamUntilCancelled }),
    drive: async (handle, calls) => {
      while (!calls.includes('writeDirectory')) await new Promise((resolve) => setTimeout(resolve, 20));
      await handle.signal(SIGNALS.cancel, { reason: 'not now', by: 'tester@here' });
    },
    outcome: 'cancelled',
    calls: ['planDirectory', 'writeDirectory', 'clearDirectory'],
  },
];
