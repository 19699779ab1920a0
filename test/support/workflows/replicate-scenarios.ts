import { SIGNALS, WORKFLOWS } from '../../../src/contract/names.ts';
import { BACKUP_RECORD, failWith, PLAN, SELECTION, streamUntilCancelled } from './fakes.ts';
import type { Scenario } from './scenario.ts';

const asked = { group: 'scenario', requestedBy: 'tester@here' };
const input = { ...asked, target: 'us-west-2', backup: BACKUP_RECORD.id, delayMs: 0, verify: false, patient: true };
const workflow = WORKFLOWS.replicate;
const HOUR_MS = 3_600_000;
const backup = { ...asked, kind: 'full', components: 'configured', label: {}, hold: null };
const copying = ['surveySources', 'beginBackup', ['copyPostgres', 'copyRedis'], 'publishBackup'] as const;
const publishedTo = (...targets: readonly string[]): NonNullable<Scenario['planted']> => {
  const copiesTo = targets.map((target) => ({ target, delayMs: HOUR_MS }));
  return () => ({ publishBackup: async () => ({ ...BACKUP_RECORD, copiesTo }) });
};
const notice = 'the repository is gone';

/** Copies to targets, what starts them, and what reads them. */
export const REPLICATE_SCENARIOS: readonly Scenario[] = [
  { name: 'replicate/success', workflow, input, outcome: 'completed', calls: ['copyToTarget'] },
  {
    name: 'replicate/all-after-a-while',
    workflow,
    input: { ...input, backup: 'all', delayMs: 500, verify: true, patient: false },
    outcome: 'completed',
    calls: ['copyToTarget'],
  },
  {
    name: 'replicate/foreign-target',
    workflow,
    input,
    planted: () => ({ copyToTarget: async () => failWith('TARGET_FOREIGN') }),
    outcome: 'TARGET_FOREIGN',
    calls: ['copyToTarget'],
  },
  {
    name: 'replicate/cancelled-while-waiting',
    workflow,
    input: { ...input, delayMs: HOUR_MS },
    drive: async (handle) => {
      await handle.signal(SIGNALS.cancel, { reason: 'not this one', by: 'tester@here' });
    },
    outcome: 'cancelled',
    calls: [],
  },
  {
    name: 'replicate/cancelled-while-copying',
    workflow,
    input,
    planted: () => ({ copyToTarget: streamUntilCancelled }),
    drive: async (handle, calls) => {
      while (!calls.includes('copyToTarget')) await new Promise((resolve) => setTimeout(resolve, 20));
      await handle.signal(SIGNALS.cancel, { reason: 'not now', by: 'tester@here' });
    },
    outcome: 'cancelled',
    calls: ['copyToTarget'],
  },
  {
    name: 'backup/copies-start',
    workflow: WORKFLOWS.backup,
    input: backup,
    planted: publishedTo('remote', 'us-west-2'),
    outcome: 'completed',
    calls: copying,
  },
  {
    name: 'backup/copies-run-already',
    workflow: WORKFLOWS.backup,
    input: backup,
    planted: publishedTo('remote', 'remote'),
    outcome: 'completed',
    calls: copying,
  },
  {
    name: 'catalog/targets',
    workflow: WORKFLOWS.catalog,
    input: { ...asked, ask: 'targets' },
    outcome: 'completed',
    calls: ['readCatalog'],
  },
  {
    name: 'verify/from-target',
    workflow: WORKFLOWS.verify,
    input: { ...asked, backup: 'latest', target: 'remote' },
    planted: () => ({ planVerification: async () => ({ backupIds: ['a'], problems: [], from: 'remote', notice }) }),
    outcome: 'completed',
    calls: ['planVerification', 'verifyBackup(a)'],
  },
  {
    name: 'restore/from-target',
    workflow: WORKFLOWS.restore,
    input: {
      ...asked,
      backup: 'latest',
      components: 'stored',
      dropExisting: true,
      targetDatabase: null,
      stopServices: false,
      dryRun: false,
    },
    planted: () => ({
      planRestore: async () => ({
        ...PLAN,
        services: [],
        redis: { ...PLAN.redis!, replacesKeys: 0 },
        from: 'remote',
        notice,
      }),
    }),
    outcome: 'completed',
    calls: [
      'planRestore',
      ['restorePostgresAside', 'checkRedisSnapshot'],
      `restoreRedis(${BACKUP_RECORD.id})`,
      'swapDatabase',
      'recordRestore',
    ],
  },
  {
    name: 'restore-selection/from-target',
    workflow: WORKFLOWS.restoreSelection,
    input: {
      ...asked,
      backup: 'latest',
      tables: ['public.users'],
      intoSchema: null,
      inPlace: false,
      keys: [],
      merge: false,
      dryRun: false,
      to: null,
    },
    planted: () => ({ planSelection: async () => ({ ...SELECTION, keys: null, from: 'remote', notice }) }),
    outcome: 'completed',
    calls: ['planSelection', 'loadTables', 'moveTables', 'recordRestore(without redis)'],
  },
];
