import { SIGNALS, WORKFLOWS } from '../../../src/contract/names.ts';
import { CLEANUP_PLAN, failWith, streamUntilCancelled } from './fakes.ts';
import type { Scenario } from './scenario.ts';

const input = { group: 'scenario', requestedBy: 'tester@here', dryRun: false };
const workflow = WORKFLOWS.cleanup;
const hold = { group: 'scenario', requestedBy: 'tester@here', backup: 'latest', reason: 'audit' };

/** Paths of a cleanup, and of holds. */
export const CLEANUP_SCENARIOS: readonly Scenario[] = [
  {
    name: 'cleanup/success',
    workflow,
    input,
    outcome: 'completed',
    calls: ['planCleanup', 'hideRemoved', 'purgeHidden', 'removeUnreferenced', 'dropReplaced'],
  },
  {
    name: 'cleanup/nothing-to-remove',
    workflow,
    input,
    planted: () => ({
      planCleanup: async () => ({
        ...CLEANUP_PLAN,
        hide: { backups: [], epochs: [] },
        purge: { backupIds: [], epochs: [] },
        replaced: [],
      }),
    }),
    outcome: 'completed',
    calls: ['planCleanup', 'removeUnreferenced'],
  },
  {
    name: 'cleanup/replaced-tables',
    workflow,
    input,
    planted: () => ({
      planCleanup: async () => ({
        ...CLEANUP_PLAN,
        replaced: [],
        replacedTables: [
          { database: 'auth', keptSchema: 'replaced_1', kept: [{ schema: 'public', table: 'users', oid: '7' }] },
        ],
      }),
    }),
    outcome: 'completed',
    calls: ['planCleanup', 'hideRemoved', 'purgeHidden', 'removeUnreferenced', 'dropReplacedTables'],
  },
  {
    name: 'cleanup/dry-run',
    workflow,
    input: { ...input, dryRun: true },
    outcome: 'completed',
    calls: ['planCleanup'],
  },
  {
    name: 'cleanup/needed-meanwhile',
    workflow,
    input,
    planted: () => ({ hideRemoved: async () => failWith('BACKUP_STILL_NEEDED') }),
    outcome: 'BACKUP_STILL_NEEDED',
    calls: ['planCleanup', 'hideRemoved'],
  },
  {
    name: 'cleanup/cancelled-while-removing',
    workflow,
    input,
    planted: () => ({ purgeHidden: streamUntilCancelled }),
    drive: async (handle, calls) => {
      while (!calls.includes('purgeHidden')) await new Promise((resolve) => setTimeout(resolve, 20));
      await handle.signal(SIGNALS.cancel, { reason: 'not now', by: 'tester@here' });
    },
    outcome: 'cancelled',
    calls: ['planCleanup', 'hideRemoved', 'purgeHidden'],
  },
  { name: 'hold/hold', workflow: WORKFLOWS.hold, input: hold, outcome: 'completed', calls: ['changeHold'] },
  {
    name: 'hold/release',
    workflow: WORKFLOWS.hold,
    input: { ...hold, reason: null },
    outcome: 'completed',
    calls: ['changeHold'],
  },
  {
    name: 'hold/refused',
    workflow: WORKFLOWS.hold,
    input: hold,
    planted: () => ({ changeHold: async () => failWith('BACKUP_NOT_FOUND') }),
    outcome: 'BACKUP_NOT_FOUND',
    calls: ['changeHold'],
  },
];
