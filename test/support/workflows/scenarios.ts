import { SIGNALS, WORKFLOWS } from '../../../src/contract/names.ts';
import type { ErrorCode } from '../../../src/domain/errors.ts';
import { BACKUP_RECORD, copyResult, failWith, PLAN, RESTORE_RECORD, streamUntilCancelled } from './fakes.ts';
import type { Activities } from './fakes.ts';
import { SELECTIONS } from './selection-scenarios.ts';
import { SELECTION_UNDOS } from './undo-selection-scenarios.ts';
import type { FollowEnd } from '../../../src/contract/journal.ts';
import { ALERT_SCENARIOS } from './alert-scenarios.ts';
import { CLEANUP_SCENARIOS } from './cleanup-scenarios.ts';
import { KEY_SCENARIOS, VERIFY_OLDEST_SCENARIOS } from './key-scenarios.ts';
import { DRILL_SCENARIOS } from './drill-scenarios.ts';
import { DIRECTORY_SCENARIOS } from './directory-scenarios.ts';
import { FAILOVER_SCENARIOS } from './failover-scenarios.ts';
import { FAILOVER_STEP_SCENARIOS } from './failover-step-scenarios.ts';
import { PLAN_SCENARIOS } from './plan-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { REPLAY_SCENARIOS } from './replay-scenarios.ts';
import { REPLICATE_SCENARIOS } from './replicate-scenarios.ts';
import { SCHEDULE_SCENARIOS } from './schedule-scenarios.ts';
import { TARGET_SCENARIOS } from './target-scenarios.ts';
import { TARGET_REDIS_SCENARIOS } from './target-redis-scenarios.ts';

export type { Scenario } from './scenario.ts';

const asked = { group: 'scenario', requestedBy: 'tester@here' };
const backup = { ...asked, kind: 'full', components: 'configured', label: {}, hold: null };
const restore = {
  ...asked,
  backup: 'latest',
  components: 'stored',
  dropExisting: true,
  targetDatabase: null,
  stopServices: true,
  dryRun: false,
};

const TAKE = ['surveySources', 'beginBackup'] as const;
const SAVED = [...TAKE, 'copyRedis', 'publishBackup'] as const;
const PREPARE = ['restorePostgresAside', 'checkRedisSnapshot'] as const;
const LOAD = `restoreRedis(${PLAN.backupId})`;

/** Only Redis configured: what a saved copy before a restore looks like. */
const redisOnly: Activities['surveySources'] = async () => ({
  postgres: null,
  redis: { server: '7.0.15', keys: 3, method: 'replication', bytes: 1 },
  warnings: [],
});

const publishSaved: Activities['publishBackup'] = async () => ({ ...BACKUP_RECORD, id: 'backup-saved' });

/** Fails the first time with something that may pass. */
function failOnce(code: ErrorCode): () => void {
  let failed = false;
  return () => {
    if (failed) return;
    failed = true;
    failWith(code);
  };
}

async function untilCalled(calls: readonly string[], names: readonly string[]): Promise<void> {
  while (!names.every((name) => calls.includes(name))) await new Promise((resolve) => setTimeout(resolve, 20));
}

const incremental = { ...backup, kind: 'incremental' };
const MARKED = ['planIncremental', 'markRecoveryPoint'] as const;
const AWAITED = ['awaitJournal', 'awaitJournal'] as const;

const incrementals: readonly Scenario[] = [
  {
    name: 'backup/incremental',
    workflow: WORKFLOWS.backup,
    input: incremental,
    outcome: 'completed',
    calls: [...MARKED, [...AWAITED], 'beginBackup', 'publishIncremental'],
  },
  {
    name: 'backup/incremental-becomes-full',
    workflow: WORKFLOWS.backup,
    input: incremental,
    planted: () => ({ planIncremental: async () => ({ full: 'there is no full backup to stand on', parentId: '' }) }),
    outcome: 'completed',
    calls: ['planIncremental', ...TAKE, ['copyPostgres', 'copyRedis'], 'publishBackup'],
  },
  {
    name: 'backup/incremental-behind-a-gap-becomes-full',
    workflow: WORKFLOWS.backup,
    input: incremental,
    planted: () => ({
      awaitJournal: async ({ kind }) =>
        kind === 'redis' ? { end: 'durable' } : { end: 'new-base-needed', message: 'the WAL was removed' },
    }),
    outcome: 'completed',
    calls: [...MARKED, [...AWAITED], ...TAKE, ['copyPostgres', 'copyRedis'], 'publishBackup'],
  },
  {
    name: 'backup/incremental-waits-in-vain',
    workflow: WORKFLOWS.backup,
    input: incremental,
    planted: () => ({ awaitJournal: async () => failWith('SOURCE_NOT_CONFIGURED') }),
    outcome: 'SOURCE_NOT_CONFIGURED',
    calls: [...MARKED, [...AWAITED]],
  },
  {
    name: 'backup/incremental-publish-fails',
    workflow: WORKFLOWS.backup,
    input: incremental,
    planted: () => ({ publishIncremental: async () => failWith('SOURCE_NOT_CONFIGURED') }),
    outcome: 'SOURCE_NOT_CONFIGURED',
    calls: [...MARKED, [...AWAITED], 'beginBackup', 'publishIncremental', 'discardBackup'],
  },
];

const NATIVE = ['planIncremental', 'beginBackup', 'copyIncrementalBase', 'markRecoveryPoint'] as const;
const planNative: Activities['planIncremental'] = async () => ({
  full: null,
  parentId: BACKUP_RECORD.id,
  native: { parentId: BACKUP_RECORD.id, obstacle: null },
});

const natives: readonly Scenario[] = [
  {
    name: 'backup/incremental-native',
    workflow: WORKFLOWS.backup,
    input: incremental,
    planted: () => ({ planIncremental: planNative }),
    outcome: 'completed',
    calls: [...NATIVE, [...AWAITED], 'publishIncremental'],
  },
  {
    name: 'backup/incremental-native-not-possible',
    workflow: WORKFLOWS.backup,
    input: incremental,
    planted: () => ({
      planIncremental: async () => ({
        full: null,
        parentId: BACKUP_RECORD.id,
        native: { parentId: null, obstacle: { code: 'summaries-off', reason: 'summarize_wal is off' } },
      }),
    }),
    outcome: 'completed',
    calls: [...MARKED, [...AWAITED], 'beginBackup', 'publishIncremental'],
  },
  {
    name: 'backup/incremental-native-copies-nothing',
    workflow: WORKFLOWS.backup,
    input: incremental,
    planted: () => ({
      planIncremental: planNative,
      copyIncrementalBase: async () => ({ ref: null, obstacle: { code: 'copy-failed', reason: 'no summaries' } }),
    }),
    outcome: 'completed',
    calls: [...NATIVE, [...AWAITED], 'publishIncremental'],
  },
  {
    name: 'backup/incremental-native-behind-a-gap-becomes-full',
    workflow: WORKFLOWS.backup,
    input: incremental,
    planted: () => ({
      planIncremental: planNative,
      awaitJournal: async ({ kind }) =>
        kind === 'redis' ? { end: 'durable' } : { end: 'new-base-needed', message: 'the WAL was removed' },
    }),
    outcome: 'completed',
    calls: [...NATIVE, [...AWAITED], 'discardBackup', ...TAKE, ['copyPostgres', 'copyRedis'], 'publishBackup'],
  },
  {
    name: 'backup/incremental-native-fails',
    workflow: WORKFLOWS.backup,
    input: incremental,
    planted: () => ({
      planIncremental: planNative,
      copyIncrementalBase: async () => failWith('SOURCE_NOT_CONFIGURED'),
    }),
    outcome: 'SOURCE_NOT_CONFIGURED',
    calls: ['planIncremental', 'beginBackup', 'copyIncrementalBase', 'discardBackup'],
  },
  {
    name: 'backup/incremental-native-cancelled',
    workflow: WORKFLOWS.backup,
    input: incremental,
    planted: () => ({ planIncremental: planNative, copyIncrementalBase: streamUntilCancelled }),
    drive: async (handle, calls) => {
      await untilCalled(calls, ['copyIncrementalBase']);
      await handle.signal(SIGNALS.cancel, { reason: 'the scenario is over', by: 'tester@here' });
    },
    outcome: 'cancelled',
    calls: ['planIncremental', 'beginBackup', 'copyIncrementalBase', 'discardBackup'],
  },
];

/** Redis by its digests: PostgreSQL alone has a journal. */
const byDigests: () => Partial<Activities> = () => ({
  planIncremental: async () => ({ full: null, parentId: BACKUP_RECORD.id, redisParentId: 'backup-before' }),
  markRecoveryPoint: async ({ request, redisByDigests }) => {
    if (redisByDigests !== true) failWith('INTERNAL');
    const postgres = { systemIdentifier: '7300000000000000001', timeline: 1, lsn: '0/16B3748' };
    const time = '2026-01-02T03:04:05.678Z';
    return { time, postgres: request.components === 'configured' ? postgres : null, redis: null };
  },
});
const CHANGES = ['beginBackup', 'copyRedisChanges'] as const;

const incrementalsByDigests: readonly Scenario[] = [
  {
    name: 'backup/incremental-by-digests',
    workflow: WORKFLOWS.backup,
    input: incremental,
    planted: byDigests,
    outcome: 'completed',
    calls: [...MARKED, 'awaitJournal', ...CHANGES, 'publishIncremental'],
  },
  {
    name: 'backup/incremental-by-digests-of-redis-alone',
    workflow: WORKFLOWS.backup,
    input: { ...incremental, components: ['redis'] },
    planted: byDigests,
    outcome: 'completed',
    calls: [...MARKED, ...CHANGES, 'publishIncremental'],
  },
  {
    name: 'backup/incremental-by-digests-copy-fails',
    workflow: WORKFLOWS.backup,
    input: incremental,
    planted: () => ({ ...byDigests(), copyRedisChanges: async () => failWith('REDIS_INDEX_DAMAGED') }),
    outcome: 'REDIS_INDEX_DAMAGED',
    calls: [...MARKED, 'awaitJournal', ...CHANGES, 'discardBackup'],
  },
  {
    name: 'backup/incremental-by-digests-with-changed-blocks',
    workflow: WORKFLOWS.backup,
    input: incremental,
    planted: () => ({
      ...byDigests(),
      planIncremental: async (input) => ({ ...(await planNative(input)), redisParentId: 'backup-before' }),
    }),
    outcome: 'completed',
    calls: [...NATIVE, 'awaitJournal', 'copyRedisChanges', 'publishIncremental'],
  },
];

/** Ends a journal, which never ends by itself. */
function endWhenCalled(names: readonly string[]): Required<Scenario>['drive'] {
  return async (handle, calls) => {
    await untilCalled(calls, names);
    await handle.signal(SIGNALS.cancel, { reason: 'the scenario is over', by: 'tester@here' });
  };
}

const keep = { ...asked, kind: 'postgres' };

/** Answers one after the other, then a stream until it is cancelled. */
function following(...answers: (() => Promise<FollowEnd>)[]): Activities['followPostgres'] {
  return async () => (answers.shift() ?? streamUntilCancelled)();
}

const journals: readonly Scenario[] = [
  {
    name: 'journal/hands-over',
    workflow: WORKFLOWS.journal,
    input: keep,
    planted: () => ({ followPostgres: following(async () => ({ end: 'handed-over' })) }),
    drive: async (handle, calls) => {
      while (calls.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      await endWhenCalled([])(handle, calls);
    },
    outcome: 'cancelled',
    calls: ['followPostgres', 'followPostgres'],
  },
  {
    name: 'journal/redis-cancelled',
    workflow: WORKFLOWS.journal,
    input: { ...keep, kind: 'redis' },
    planted: () => ({ followRedis: streamUntilCancelled }),
    drive: endWhenCalled(['followRedis']),
    outcome: 'cancelled',
    calls: ['followRedis'],
  },
  {
    name: 'journal/gap-has-a-full-taken',
    workflow: WORKFLOWS.journal,
    input: keep,
    planted: () => ({
      followPostgres: following(async () => ({
        end: 'new-base-needed',
        code: 'JOURNAL_WAL_REMOVED',
        message: 'the WAL was removed',
      })),
    }),
    drive: endWhenCalled(['publishBackup']),
    outcome: 'cancelled',
    calls: ['followPostgres', ['followPostgres', ...TAKE, 'copyPostgres', 'copyRedis', 'publishBackup']],
  },
  {
    name: 'journal/retried-after-transient-error',
    workflow: WORKFLOWS.journal,
    input: keep,
    planted: () => ({ followPostgres: following(async () => failWith('OPERATION_STALLED')) }),
    drive: async (handle, calls) => {
      while (calls.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      await endWhenCalled([])(handle, calls);
    },
    outcome: 'cancelled',
    calls: ['followPostgres', 'followPostgres'],
  },
  {
    name: 'journal/trouble-is-shown-and-waited-out',
    workflow: WORKFLOWS.journal,
    input: keep,
    planted: () => ({ followPostgres: async () => failWith('SOURCE_NOT_CONFIGURED') }),
    drive: async (handle, calls) => {
      await untilCalled(calls, ['followPostgres']);
      await new Promise((resolve) => setTimeout(resolve, 500));
      await endWhenCalled([])(handle, calls);
    },
    outcome: 'cancelled',
    calls: ['followPostgres'],
  },
];

const backups: readonly Scenario[] = [
  {
    name: 'backup/success',
    workflow: WORKFLOWS.backup,
    input: backup,
    outcome: 'completed',
    calls: [...TAKE, ['copyPostgres', 'copyRedis'], 'publishBackup'],
  },
  {
    name: 'backup/retry-after-transient-error',
    workflow: WORKFLOWS.backup,
    input: backup,
    planted: () => {
      const fail = failOnce('OPERATION_STALLED');
      return {
        copyRedis: async () => {
          fail();
          return copyResult('redis');
        },
      };
    },
    outcome: 'completed',
    calls: [...TAKE, ['copyPostgres', 'copyRedis', 'copyRedis'], 'publishBackup'],
  },
  {
    name: 'backup/copy-fails',
    workflow: WORKFLOWS.backup,
    input: backup,
    planted: () => ({ copyPostgres: async () => failWith('SOURCE_NOT_CONFIGURED'), copyRedis: streamUntilCancelled }),
    outcome: 'SOURCE_NOT_CONFIGURED',
    calls: [...TAKE, ['copyPostgres', 'copyRedis'], 'discardBackup'],
  },
  {
    name: 'backup/discard-fails-too',
    workflow: WORKFLOWS.backup,
    input: backup,
    planted: () => ({
      publishBackup: async () => failWith('SOURCE_NOT_CONFIGURED'),
      discardBackup: async () => failWith('GROUP_BUSY'),
    }),
    outcome: 'SOURCE_NOT_CONFIGURED',
    calls: [...TAKE, ['copyPostgres', 'copyRedis'], 'publishBackup', 'discardBackup'],
  },
  {
    name: 'backup/survey-refuses',
    workflow: WORKFLOWS.backup,
    input: backup,
    planted: () => ({ surveySources: async () => failWith('SOURCE_NOT_CONFIGURED') }),
    outcome: 'SOURCE_NOT_CONFIGURED',
    calls: ['surveySources'],
  },
  {
    name: 'backup/cancelled-with-reason',
    workflow: WORKFLOWS.backup,
    input: backup,
    planted: () => ({ copyPostgres: streamUntilCancelled, copyRedis: streamUntilCancelled }),
    drive: async (handle, calls) => {
      await untilCalled(calls, ['copyPostgres', 'copyRedis']);
      await handle.signal(SIGNALS.cancel, { reason: 'wrong database', by: 'tester@here' });
    },
    outcome: 'cancelled',
    calls: [...TAKE, ['copyPostgres', 'copyRedis'], 'discardBackup'],
  },
  {
    name: 'backup/cancelled-from-the-web-ui',
    workflow: WORKFLOWS.backup,
    input: backup,
    planted: () => ({ copyPostgres: streamUntilCancelled, copyRedis: streamUntilCancelled }),
    drive: async (handle, calls) => {
      await untilCalled(calls, ['copyPostgres', 'copyRedis']);
      await handle.cancel();
    },
    outcome: 'cancelled',
    calls: [...TAKE, ['copyPostgres', 'copyRedis'], 'discardBackup'],
  },
  {
    name: 'backup/redis-only',
    workflow: WORKFLOWS.backup,
    input: { ...backup, components: ['redis'] },
    planted: () => ({ surveySources: redisOnly }),
    outcome: 'completed',
    calls: [...TAKE, 'copyRedis', 'publishBackup'],
  },
];

const restores: readonly Scenario[] = [
  {
    name: 'restore/success',
    workflow: WORKFLOWS.restore,
    input: restore,
    planted: () => ({ surveySources: redisOnly }),
    outcome: 'completed',
    calls: ['planRestore', PREPARE, ...SAVED, 'stopServices', LOAD, 'swapDatabase', 'recordRestore', 'startServices'],
  },
  {
    name: 'restore/into-empty-targets',
    workflow: WORKFLOWS.restore,
    input: { ...restore, dropExisting: false, stopServices: false },
    planted: () => ({
      planRestore: async () => ({
        ...PLAN,
        postgres: PLAN.postgres && { ...PLAN.postgres, exists: false, replaces: false },
        redis: PLAN.redis && { ...PLAN.redis, replacesKeys: 0 },
        services: [],
      }),
      swapDatabase: async () => ({ replaced: null }),
    }),
    outcome: 'completed',
    calls: ['planRestore', PREPARE, LOAD, 'swapDatabase', 'recordRestore'],
  },
  {
    name: 'restore/dry-run',
    workflow: WORKFLOWS.restore,
    input: { ...restore, dryRun: true },
    outcome: 'completed',
    calls: ['planRestore'],
  },
  {
    name: 'restore/refused',
    workflow: WORKFLOWS.restore,
    input: restore,
    planted: () => ({ planRestore: async () => failWith('RESTORE_TARGET_NOT_EMPTY') }),
    outcome: 'RESTORE_TARGET_NOT_EMPTY',
    calls: ['planRestore'],
  },
  {
    name: 'restore/damaged-backup',
    workflow: WORKFLOWS.restore,
    input: restore,
    planted: () => ({
      checkRedisSnapshot: async () => failWith('RESTORE_CONTENT_MISMATCH'),
      restorePostgresAside: streamUntilCancelled,
    }),
    outcome: 'RESTORE_CONTENT_MISMATCH',
    calls: ['planRestore', PREPARE, 'dropAside'],
  },
  {
    name: 'restore/redis-load-fails',
    workflow: WORKFLOWS.restore,
    input: restore,
    planted: () => ({
      surveySources: redisOnly,
      restoreRedis: async ({ backupId }) =>
        backupId === PLAN.backupId ? failWith('RESTORE_TARGET_UNFIT') : { keys: 3, method: 'restore', checks: [] },
      publishBackup: publishSaved,
    }),
    outcome: 'RESTORE_TARGET_UNFIT',
    calls: [
      'planRestore',
      PREPARE,
      ...SAVED,
      'stopServices',
      LOAD,
      'restoreRedis(backup-saved)',
      'startServices',
      'dropAside',
    ],
  },
  {
    name: 'restore/swap-fails',
    workflow: WORKFLOWS.restore,
    input: restore,
    planted: () => ({
      surveySources: redisOnly,
      swapDatabase: async () => failWith('RESTORE_TARGET_UNFIT'),
      publishBackup: publishSaved,
    }),
    outcome: 'RESTORE_TARGET_UNFIT',
    calls: [
      'planRestore',
      PREPARE,
      ...SAVED,
      'stopServices',
      LOAD,
      'swapDatabase',
      'restoreRedis(backup-saved)',
      'startServices',
      'dropAside',
    ],
  },
  {
    name: 'restore/swap-fails-over-empty-redis',
    workflow: WORKFLOWS.restore,
    input: { ...restore, stopServices: false },
    planted: () => ({
      planRestore: async () => ({ ...PLAN, redis: PLAN.redis && { ...PLAN.redis, replacesKeys: 0 }, services: [] }),
      swapDatabase: async () => failWith('RESTORE_TARGET_UNFIT'),
    }),
    outcome: 'RESTORE_TARGET_UNFIT',
    calls: ['planRestore', PREPARE, LOAD, 'swapDatabase', `emptyRedis(${PLAN.backupId})`, 'dropAside'],
  },
  {
    name: 'restore/services-do-not-start',
    workflow: WORKFLOWS.restore,
    input: restore,
    planted: () => ({ surveySources: redisOnly, startServices: async () => failWith('RESTORE_TARGET_UNFIT') }),
    outcome: 'RESTORE_TARGET_UNFIT',
    calls: [
      'planRestore',
      PREPARE,
      ...SAVED,
      'stopServices',
      LOAD,
      'swapDatabase',
      'recordRestore',
      'startServices',
      'dropAside',
    ],
  },
  {
    name: 'restore/cancelled-while-preparing',
    workflow: WORKFLOWS.restore,
    input: restore,
    planted: () => ({ restorePostgresAside: streamUntilCancelled }),
    drive: async (handle, calls) => {
      await untilCalled(calls, ['restorePostgresAside', 'checkRedisSnapshot']);
      await handle.signal(SIGNALS.cancel, { reason: 'not now', by: 'tester@here' });
    },
    outcome: 'cancelled',
    calls: ['planRestore', PREPARE, 'dropAside'],
  },
  {
    name: 'undo-restore/success',
    workflow: WORKFLOWS.undoRestore,
    input: { ...asked, restoreId: 'restore-1' },
    outcome: 'completed',
    calls: ['loadRestore', 'stopServices', 'restoreRedis(backup-saved)', 'undoSwap', 'startServices'],
  },
  {
    name: 'undo-restore/into-empty-redis',
    workflow: WORKFLOWS.undoRestore,
    input: { ...asked, restoreId: 'restore-1' },
    planted: () => ({ loadRestore: async () => ({ ...RESTORE_RECORD, redis: { savedAs: null } }) }),
    outcome: 'completed',
    calls: ['loadRestore', 'stopServices', `emptyRedis(${PLAN.backupId})`, 'undoSwap', 'startServices'],
  },
  {
    name: 'undo-restore/redis-holds-other-keys',
    workflow: WORKFLOWS.undoRestore,
    input: { ...asked, restoreId: 'restore-1' },
    planted: () => ({
      loadRestore: async () => ({ ...RESTORE_RECORD, redis: { savedAs: null } }),
      emptyRedis: async () => failWith('REDIS_TARGET_CHANGED'),
    }),
    outcome: 'REDIS_TARGET_CHANGED',
    calls: ['loadRestore', 'stopServices', `emptyRedis(${PLAN.backupId})`, 'startServices'],
  },
  {
    name: 'undo-restore/expired',
    workflow: WORKFLOWS.undoRestore,
    input: { ...asked, restoreId: 'restore-1' },
    planted: () => ({ loadRestore: async () => failWith('RESTORE_UNDO_EXPIRED') }),
    outcome: 'RESTORE_UNDO_EXPIRED',
    calls: ['loadRestore'],
  },
  {
    name: 'undo-restore/swap-fails',
    workflow: WORKFLOWS.undoRestore,
    input: { ...asked, restoreId: 'restore-1' },
    planted: () => ({ undoSwap: async () => failWith('RESTORE_TARGET_UNFIT') }),
    outcome: 'RESTORE_TARGET_UNFIT',
    calls: ['loadRestore', 'stopServices', 'restoreRedis(backup-saved)', 'undoSwap', 'startServices'],
  },
];

const questions: readonly Scenario[] = [
  {
    name: 'verify/success',
    workflow: WORKFLOWS.verify,
    input: { ...asked, backup: 'all' },
    outcome: 'completed',
    calls: ['planVerification', 'verifyBackup(a)', 'verifyBackup(b)'],
  },
  {
    name: 'verify/all-with-journals',
    workflow: WORKFLOWS.verify,
    input: { ...asked, backup: 'all' },
    planted: () => ({
      planVerification: async () => ({
        backupIds: ['a'],
        journals: [{ kind: 'postgres' }, { kind: 'redis' }],
        problems: [],
      }),
    }),
    outcome: 'completed',
    calls: ['planVerification', 'verifyBackup(a)', 'verifyJournal(postgres)', 'verifyJournal(redis)'],
  },
  {
    name: 'verify/incremental-with-its-range',
    workflow: WORKFLOWS.verify,
    input: { ...asked, backup: 'latest' },
    planted: () => ({
      planVerification: async () => ({
        backupIds: ['full', 'incremental'],
        journals: [{ kind: 'postgres', backupId: 'incremental' }],
        problems: [],
      }),
    }),
    outcome: 'completed',
    calls: [
      'planVerification',
      'verifyBackup(full)',
      'verifyBackup(incremental)',
      'verifyJournal(postgres of incremental)',
    ],
  },
  {
    name: 'verify/unknown-backup',
    workflow: WORKFLOWS.verify,
    input: { ...asked, backup: 'latest' },
    planted: () => ({ planVerification: async () => failWith('RESTORE_NOT_FOUND') }),
    outcome: 'RESTORE_NOT_FOUND',
    calls: ['planVerification'],
  },
  {
    name: 'verify/cancelled',
    workflow: WORKFLOWS.verify,
    input: { ...asked, backup: 'all' },
    planted: () => ({ verifyBackup: streamUntilCancelled }),
    drive: async (handle, calls) => {
      await untilCalled(calls, ['verifyBackup(a)']);
      await handle.signal(SIGNALS.cancel, { reason: 'not now', by: 'tester@here' });
    },
    outcome: 'cancelled',
    calls: ['planVerification', 'verifyBackup(a)'],
  },
  {
    name: 'catalog/list',
    workflow: WORKFLOWS.catalog,
    input: { ...asked, ask: 'list' },
    outcome: 'completed',
    calls: ['readCatalog'],
  },
  {
    name: 'catalog/journals',
    workflow: WORKFLOWS.catalog,
    input: { ...asked, ask: 'journals' },
    outcome: 'completed',
    calls: ['readCatalog'],
  },
  {
    name: 'catalog/show-fails',
    workflow: WORKFLOWS.catalog,
    input: { ...asked, ask: 'show', backup: 'nothing' },
    planted: () => ({ readCatalog: async () => failWith('RESTORE_NOT_FOUND') }),
    outcome: 'RESTORE_NOT_FOUND',
    calls: ['readCatalog'],
  },
];

export const SCENARIOS: readonly Scenario[] = [
  ...backups,
  ...incrementals,
  ...natives,
  ...incrementalsByDigests,
  ...journals,
  ...restores,
  ...questions,
  ...DIRECTORY_SCENARIOS,
  ...DRILL_SCENARIOS,
  ...CLEANUP_SCENARIOS,
  ...KEY_SCENARIOS,
  ...VERIFY_OLDEST_SCENARIOS,
  ...TARGET_REDIS_SCENARIOS,
  ...REPLAY_SCENARIOS,
  ...REPLICATE_SCENARIOS,
  ...PLAN_SCENARIOS,
  ...FAILOVER_SCENARIOS,
  ...FAILOVER_STEP_SCENARIOS,
  ...SCHEDULE_SCENARIOS,
  ...TARGET_SCENARIOS,
  ...SELECTIONS,
  ...SELECTION_UNDOS,
  ...ALERT_SCENARIOS,
];
