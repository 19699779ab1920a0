import { WORKFLOWS } from '../../../src/contract/names.ts';
import type { SelectionRecord } from '../../../src/contract/selection-record.ts';
import { failWith, RESTORE_RECORD, SELECTION } from './fakes.ts';
import type { Activities } from './fakes.ts';
import type { Scenario } from './scenario.ts';

const asked = { group: 'scenario', requestedBy: 'tester@here' };
const KEPT = [{ schema: 'public', table: 'users', oid: '16401' }];
const PLACED = [{ schema: 'public', table: 'users', oid: '16502' }];
const RECORD: SelectionRecord = {
  tables: { database: 'auth', keptSchema: 'replaced_1', kept: KEPT, placed: PLACED },
  keys: { backupId: 'backup-1', patterns: ['session:*'], replay: null, cut: null, savedAs: 'backup-saved' },
  left: [],
};

const recorded =
  (selection: Partial<SelectionRecord> = {}): Activities['loadRestore'] =>
  async () => ({
    ...RESTORE_RECORD,
    postgres: null,
    redis: null,
    services: [],
    selection: { ...RECORD, ...selection },
  });
const undo = { workflow: WORKFLOWS.undoRestore, input: { ...asked, restoreId: 'restore-1' } } as const;
const restore = {
  workflow: WORKFLOWS.restoreSelection,
  input: {
    ...asked,
    backup: 'latest',
    tables: ['public.users'],
    intoSchema: null,
    inPlace: true,
    keys: ['session:*'],
    merge: true,
    to: null,
    dryRun: false,
  },
} as const;
const inPlace: Partial<Activities> = {
  planSelection: async () => ({
    ...SELECTION,
    tables: { ...SELECTION.tables!, intoSchema: null, createsSchema: false, replaces: ['public.users'] },
  }),
  surveySources: async () => ({
    postgres: null,
    redis: { server: '7.0.15', keys: 9, method: 'replication', bytes: 1 },
    warnings: [],
  }),
  moveTables: async () => ({ replaced: [{ schema: 'replaced_1', table: 'users' }], kept: KEPT, placed: PLACED }),
};
const UNTIL_LIVE = [
  'planSelection',
  ['loadTables', 'surveyKeys'],
  'surveySources',
  'beginBackup',
  'copyRedis',
  'publishBackup',
  'loadKeys',
  'moveTables',
] as const;

/** Restores of tables and keys that record what they replaced, and undos of them. */
export const SELECTION_UNDOS: readonly Scenario[] = [
  {
    name: 'restore-selection/in-place-recorded',
    ...restore,
    planted: () => inPlace,
    outcome: 'completed',
    calls: [...UNTIL_LIVE, 'recordRestore(without redis)'],
  },
  {
    name: 'restore-selection/record-fails',
    ...restore,
    planted: () => ({ ...inPlace, recordRestore: async () => failWith('STORE_KEY_EXISTS') }),
    outcome: 'STORE_KEY_EXISTS',
    calls: [...UNTIL_LIVE, 'recordRestore(without redis)', 'dropLoadedTables'],
  },
  {
    name: 'undo-restore/tables-and-keys',
    ...undo,
    planted: () => ({ loadRestore: recorded() }),
    outcome: 'completed',
    calls: ['loadRestore', 'undoTables', 'revertKeys'],
  },
  {
    name: 'undo-restore/keys-alone',
    ...undo,
    planted: () => ({ loadRestore: recorded({ tables: null }) }),
    outcome: 'completed',
    calls: ['loadRestore', 'revertKeys'],
  },
  {
    name: 'undo-restore/tables-in-use',
    ...undo,
    planted: () => ({ loadRestore: recorded(), undoTables: async () => failWith('RESTORE_TABLE_IN_USE') }),
    outcome: 'RESTORE_TABLE_IN_USE',
    calls: ['loadRestore', 'undoTables'],
  },
  {
    name: 'undo-restore/nothing-replaced',
    ...undo,
    planted: () => ({ loadRestore: async () => failWith('RESTORE_NOTHING_REPLACED') }),
    outcome: 'RESTORE_NOTHING_REPLACED',
    calls: ['loadRestore'],
  },
  {
    name: 'undo-restore/dry-run',
    ...undo,
    input: { ...undo.input, dryRun: true },
    outcome: 'completed',
    calls: ['loadRestore'],
  },
  {
    name: 'undo-restore/dry-run-of-tables',
    ...undo,
    input: { ...undo.input, dryRun: true },
    planted: () => ({ loadRestore: recorded() }),
    outcome: 'completed',
    calls: ['loadRestore', 'undoTables'],
  },
];
