import { SIGNALS, WORKFLOWS } from '../../../src/contract/names.ts';
import { failWith, SELECTION, streamUntilCancelled } from './fakes.ts';
import type { Activities } from './fakes.ts';
import type { Scenario } from './scenarios.ts';

const workflow = WORKFLOWS.restoreSelection;
const input = {
  group: 'scenario',
  requestedBy: 'tester@here',
  backup: 'latest',
  tables: ['public.users'],
  intoSchema: null,
  inPlace: false,
  keys: ['session:*'],
  merge: true,
  to: null,
  dryRun: false,
};
const PREPARE = ['loadTables', 'surveyKeys'] as const;
const RECORDED = 'recordRestore(without redis)';
const SAVED = ['surveySources', 'beginBackup', 'copyRedis', 'publishBackup'] as const;

const redisOnly: Activities['surveySources'] = async () => ({
  postgres: null,
  redis: { server: '7.0.15', keys: 9, method: 'replication', bytes: 1 },
  warnings: [],
});

/** Paths through the restore of single tables and keys. */
export const SELECTIONS: readonly Scenario[] = [
  {
    name: 'restore-selection/success',
    workflow,
    input,
    planted: () => ({ surveySources: redisOnly }),
    outcome: 'completed',
    calls: ['planSelection', [...PREPARE], ...SAVED, 'loadKeys', 'moveTables', RECORDED],
  },
  {
    name: 'restore-selection/nothing-to-save',
    workflow,
    input,
    planted: () => ({
      surveyKeys: async () => ({
        matching: 4,
        replaced: 0,
        present: 9,
        check: { name: 'redis snapshot read to its end', status: 'pass', expected: '', actual: '', message: '' },
        cut: { offset: 12, timeMs: 1_700_000_000_000 },
      }),
    }),
    outcome: 'completed',
    calls: ['planSelection', [...PREPARE], 'loadKeys', 'moveTables', RECORDED],
  },
  {
    name: 'restore-selection/tables-alone',
    workflow,
    input: { ...input, keys: [], merge: false },
    planted: () => ({ planSelection: async () => ({ ...SELECTION, keys: null }) }),
    outcome: 'completed',
    calls: ['planSelection', 'loadTables', 'moveTables', RECORDED],
  },
  {
    name: 'restore-selection/keys-alone-fail',
    workflow,
    input: { ...input, tables: [] },
    planted: () => ({
      planSelection: async () => ({ ...SELECTION, tables: null }),
      surveySources: redisOnly,
      loadKeys: async () => failWith('RESTORE_TARGET_UNFIT'),
    }),
    outcome: 'RESTORE_TARGET_UNFIT',
    calls: ['planSelection', 'surveyKeys', ...SAVED, 'loadKeys', 'revertKeys'],
  },
  {
    name: 'restore-selection/dry-run',
    workflow,
    input: { ...input, dryRun: true },
    outcome: 'completed',
    calls: ['planSelection'],
  },
  {
    name: 'restore-selection/refused',
    workflow,
    input,
    planted: () => ({ planSelection: async () => failWith('RESTORE_TABLE_NOT_FOUND') }),
    outcome: 'RESTORE_TABLE_NOT_FOUND',
    calls: ['planSelection'],
  },
  {
    name: 'restore-selection/damaged-snapshot',
    workflow,
    input,
    planted: () => ({ loadTables: streamUntilCancelled, surveyKeys: async () => failWith('RESTORE_CONTENT_MISMATCH') }),
    outcome: 'RESTORE_CONTENT_MISMATCH',
    calls: ['planSelection', [...PREPARE], 'dropLoadedTables'],
  },
  {
    name: 'restore-selection/move-fails',
    workflow,
    input,
    planted: () => ({ surveySources: redisOnly, moveTables: async () => failWith('RESTORE_TABLE_IN_USE') }),
    outcome: 'RESTORE_TABLE_IN_USE',
    calls: ['planSelection', [...PREPARE], ...SAVED, 'loadKeys', 'moveTables', 'revertKeys', 'dropLoadedTables'],
  },
  {
    name: 'restore-selection/cancelled-while-preparing',
    workflow,
    input,
    planted: () => ({ loadTables: streamUntilCancelled }),
    drive: async (handle, calls) => {
      while (!PREPARE.every((name) => calls.includes(name))) await new Promise((resolve) => setTimeout(resolve, 20));
      await handle.signal(SIGNALS.cancel, { reason: 'wrong backup', by: 'tester@here' });
    },
    outcome: 'cancelled',
    calls: ['planSelection', [...PREPARE], 'dropLoadedTables'],
  },
];
