import { WORKFLOWS } from '../../../src/contract/names.ts';
import type { Activities } from './fakes.ts';
import { failWith, PLAN } from './fakes.ts';
import type { Scenario } from './scenario.ts';

const target = 'redis://other:6379';
const workflow = WORKFLOWS.restore;
const input = {
  group: 'scenario',
  requestedBy: 'tester@here',
  backup: 'latest',
  components: 'stored',
  dropExisting: true,
  targetDatabase: null,
  stopServices: false,
  dryRun: false,
  to: null,
  targetRedis: target,
};
const PREPARE = ['restorePostgresAside', 'checkRedisSnapshot'] as const;
const LOAD = `restoreRedis(${PLAN.backupId} at ${target})`;

const planned =
  (replacesKeys: number): Activities['planRestore'] =>
  async () => ({ ...PLAN, redis: PLAN.redis && { ...PLAN.redis, replacesKeys, target }, services: [] });

/** Paths of a restore whose Redis is another than the configured one. */
export const TARGET_REDIS_SCENARIOS: readonly Scenario[] = [
  {
    name: 'restore/into-another-redis',
    workflow,
    input,
    planted: () => ({ planRestore: planned(3) }),
    outcome: 'completed',
    calls: ['planRestore', PREPARE, LOAD, 'swapDatabase', 'recordRestore(without redis)'],
  },
  {
    name: 'restore/swap-fails-with-another-redis-empty',
    workflow,
    input,
    planted: () => ({ planRestore: planned(0), swapDatabase: async () => failWith('RESTORE_TARGET_UNFIT') }),
    outcome: 'RESTORE_TARGET_UNFIT',
    calls: ['planRestore', PREPARE, LOAD, 'swapDatabase', `emptyRedis(${PLAN.backupId} at ${target})`, 'dropAside'],
  },
  {
    name: 'restore/swap-fails-over-another-redis',
    workflow,
    input,
    planted: () => ({ planRestore: planned(3), swapDatabase: async () => failWith('RESTORE_TARGET_UNFIT') }),
    outcome: 'RESTORE_TARGET_UNFIT',
    calls: ['planRestore', PREPARE, LOAD, 'swapDatabase', 'dropAside'],
  },
];
