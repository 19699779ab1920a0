import { WORKFLOWS } from '../../../src/contract/names.ts';
import { failWith, PLAN, RESTORE_RECORD } from './fakes.ts';
import type { Scenario } from './scenario.ts';

const asked = { group: 'scenario', requestedBy: 'tester@here' };
const input = {
  ...asked,
  backup: 'latest',
  components: 'stored',
  dropExisting: true,
  targetDatabase: null,
  stopServices: false,
  dryRun: false,
  to: { time: '2026-01-02T03:05:00.000Z' },
};
const snapshotId = 'backup-snapshot';
const replay = { snapshotId, target: { atMs: Date.parse(input.to.time) } };
const cut = { offset: 4321, timeMs: replay.target.atMs };
const EMPTIED = `emptyRedis(${snapshotId} and its stream to ${cut.offset})`;

/** Paths of a restore to an instant over an empty Redis: what is taken back is the snapshot with its stream. */
export const REPLAY_SCENARIOS: readonly Scenario[] = [
  {
    name: 'restore/swap-fails-over-empty-redis-after-a-replay',
    workflow: WORKFLOWS.restore,
    input,
    planted: () => ({
      planRestore: async () => ({
        ...PLAN,
        redis: PLAN.redis && { ...PLAN.redis, replacesKeys: 0 },
        services: [],
        replay: { postgres: null, redis: replay },
      }),
      checkRedisSnapshot: async () => ({
        keys: 7,
        check: { name: 'redis', status: 'pass', expected: '', actual: '', message: '' },
        cut,
      }),
      swapDatabase: async () => failWith('RESTORE_TARGET_UNFIT'),
    }),
    outcome: 'RESTORE_TARGET_UNFIT',
    calls: [
      'planRestore',
      ['restorePostgresAside', 'checkRedisSnapshot'],
      `restoreRedis(${snapshotId})`,
      'swapDatabase',
      EMPTIED,
      'dropAside',
    ],
  },
  {
    name: 'undo-restore/into-empty-redis-after-a-replay',
    workflow: WORKFLOWS.undoRestore,
    input: { ...asked, restoreId: 'restore-1' },
    planted: () => ({
      loadRestore: async () => ({
        ...RESTORE_RECORD,
        backupId: 'backup-asked-for',
        redis: { savedAs: null, replayed: { backupId: snapshotId, replay, cut } },
      }),
    }),
    outcome: 'completed',
    calls: ['loadRestore', 'stopServices', EMPTIED, 'undoSwap', 'startServices'],
  },
];
