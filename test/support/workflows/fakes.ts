import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ControlActivities, DataActivities } from '../../../src/contract/activities.ts';
import type { CleanupPlan } from '../../../src/contract/cleanup.ts';
import type { JournalActivities } from '../../../src/contract/journal.ts';
import type { CopyActivities } from '../../../src/contract/replication.ts';
import type { RestorePlan, RestoreRecord } from '../../../src/contract/messages.ts';
import type { DirectoryPlan } from '../../../src/domain/directory-plan.ts';
import type { BackupRecord } from '../../../src/domain/backup.ts';
import type { PlanRunView } from '../../../src/domain/plan/run-view.ts';
import type { FailoverPlan } from '../../../src/domain/failover/failover-plan.ts';
import type { ExactLoss } from '../../../src/domain/failover/loss.ts';
import type { SelectionPlan } from '../../../src/domain/selection-plan.ts';
import type { DrillPlan } from '../../../src/domain/drill/drill.ts';
import type { ErrorCode } from '../../../src/domain/errors.ts';
import { ERRORS } from '../../../src/domain/errors.ts';

/**
 * Activities that do nothing but note that they were called: workflow tests prove order, compensation and cancellation.
 * What the real activities do is proven against real servers in test/integration.
 */
export type Activities = ControlActivities & DataActivities & JournalActivities & CopyActivities;

export interface Recorded {
  /** `name` or `name(argument that matters)`, in the order of the calls. */
  readonly calls: string[];
  readonly activities: Activities;
}

const CODEC = { compression: 'zstd', compressionLevel: 3, encryption: 'none' } as const;
const AT = '2026-01-02T03:04:05.678Z';

export const BACKUP_RECORD: BackupRecord = {
  id: 'backup-2026-01-02T03-04-05-678Z',
  kind: 'full',
  group: 'scenario',
  parentId: null,
  createdAt: AT,
  finishedAt: AT,
  durationMs: 0,
  status: 'complete',
  label: {},
  holds: [],
  encrypted: false,
  signed: true,
  verifiedAt: null,
  components: {},
  recoveryPoint: { time: AT },
  bytes: 2,
  storedBytes: 1,
  location: 'memory:',
  copies: [],
};

export const PLAN: RestorePlan = {
  restoreId: 'restore-1',
  backupId: BACKUP_RECORD.id,
  recoveryPoint: { time: AT },
  encrypted: false,
  postgres: {
    database: 'auth',
    asideDatabase: 'auth__restoring_1',
    replacedDatabase: 'auth__replaced_1',
    exists: true,
    replaces: true,
    bytes: 2,
  },
  redis: { keys: 7, bytes: 1, replacesKeys: 3, replacesFunctions: 0 },
  services: ['api'],
  steps: [],
};

export const RESTORE_RECORD: RestoreRecord = {
  restoreId: 'restore-1',
  backupId: BACKUP_RECORD.id,
  finishedAt: AT,
  expiresAt: AT,
  postgres: { database: 'auth', replaced: 'auth__replaced_1' },
  redis: { savedAs: 'backup-saved' },
  services: ['api'],
};

export const DIRECTORY_PLAN: DirectoryPlan = {
  restoreId: 'restore-1',
  backupId: BACKUP_RECORD.id,
  directory: '/srv/copy',
  recoveryPoint: { time: AT },
  encrypted: false,
  postgres: { baseId: BACKUP_RECORD.id, target: null, database: 'auth', server: '18.6', bytes: 2 },
  redis: null,
  steps: [],
};

export const DRILL_PLAN: DrillPlan = {
  drillId: 'drill-1',
  how: 'newest',
  backupId: BACKUP_RECORD.id,
  recoveryPoint: { time: AT },
  components: ['postgres', 'redis'],
  replay: null,
  newestAt: AT,
  scratchBytes: 2,
};

const WINDOW = { from: null, to: null, gaps: [], spans: [], postgres: null, redis: null, omitted: 0 };
const EPOCH = { kind: 'postgres', history: '7300000000000000001', epoch: 1 } as const;

export const CLEANUP_PLAN: CleanupPlan = {
  at: AT,
  hide: {
    backups: [{ id: BACKUP_RECORD.id, keep: false, reasons: [{ code: 'expired', message: 'old' }] }],
    epochs: [EPOCH],
  },
  purge: { backupIds: ['backup-2026-01-01T03-04-05-678Z'], epochs: [] },
  waiting: [],
  kept: [],
  omitted: 0,
  abandoned: [],
  leftovers: 0,
  replaced: [{ database: 'auth__replaced_1', oid: 5 }],
  freedBytes: 7,
  freedLaterBytes: 8,
  graceMs: 9,
  windowBefore: WINDOW,
  windowAfter: WINDOW,
  warnings: [],
};

const CHECK = { name: 'rows', status: 'pass', expected: '1', actual: '1', message: '' } as const;

/** Fails as a worker's error interceptor makes it fail. */
export function failWith(code: ErrorCode): never {
  const { retry } = ERRORS[code];
  throw ApplicationFailure.create({ message: `planted ${code}`, type: code, nonRetryable: retry === 'never' });
}

/** Heartbeats until it is cancelled, as a long stream does. */
export async function streamUntilCancelled(): Promise<never> {
  const context = Context.current();
  for (;;) {
    context.heartbeat({ phase: 'dumping', bytes: 1 });
    await context.sleep(50);
  }
}

export function copyResult(component: 'postgres' | 'redis'): Awaited<ReturnType<Activities['copyPostgres']>> {
  return { ref: { component, key: 'k', storedBytes: 1, sha256: '0' }, point: { time: AT }, bytes: 1, warnings: [] };
}

export const SELECTION: SelectionPlan = {
  restoreId: 'restore-1',
  backupId: BACKUP_RECORD.id,
  recoveryPoint: { time: AT },
  tables: {
    database: 'auth',
    names: ['public.users'],
    asideDatabase: 'auth__restoring_1',
    stagingSchema: 'restoring_1',
    intoSchema: 'restored_1',
    createsSchema: true,
    keptSchema: 'replaced_1',
    replaces: [],
  },
  keys: { patterns: ['session:*'], merge: true, snapshotKeys: 7, present: 3 },
  replay: null,
  steps: [],
};

export const AUTHORITY = { service: 'scenario-postgres', epoch: 1, region: 'b', holder: 'run-1.switch', since: AT };
const CHANGE = { from: 'a', to: 'b', way: 'graceful', epoch: 0, approvals: [], notices: [] } as const;
export const FENCE = {
  kind: 'clean',
  node: 'a',
  systemIdentifier: '7300000000000000001',
  timeline: 1,
  checkpointLsn: '0/3000028',
} as const;

/** Both services, from `a` to `b`. */
export const FAILOVER: FailoverPlan = {
  targetRegion: 'b',
  postgres: {
    ...CHANGE,
    service: 'scenario-postgres',
    systemIdentifier: FENCE.systemIdentifier,
    timeline: 1,
    primaryLsn: '0/3000000',
  },
  redis: { ...CHANGE, service: 'scenario-redis', replid: 'f'.repeat(40), silentSeconds: 0 },
};
const REDIS_ROLE = { node: 'b', replid: 'e'.repeat(40), forkOffset: 1234, changedNow: true, persisted: true };

export const RETURN = { old: 'a', primary: 'b', epoch: 1 } as const;
export const PROMOTED = { node: 'b', timeline: 2, forkLsn: '0/30000A0', promotedNow: true, estimate: null };
/** What only the old primary has. */
export const LOSS: ExactLoss = {
  kind: 'exact',
  bytes: 300,
  transactions: 3,
  seconds: 1,
  forkLsn: '0/30000A0',
  endLsn: '0/30001CC',
  firstCommitAt: AT,
  lastCommitAt: AT,
};
const NOTHING_KNOWN = { active: [], slowLookAt: null, hadRepository: false } as const;

const answers: Activities = {
  surveySources: async () => ({
    postgres: { database: 'auth', server: '18.6', bytes: 10, tables: 3 },
    redis: { server: '7.0.15', keys: 5, method: 'replication', bytes: 10 },
    warnings: [],
  }),
  beginBackup: async () => ({ backupId: BACKUP_RECORD.id, codec: CODEC }),
  copyPostgres: async () => copyResult('postgres'),
  copyRedis: async () => copyResult('redis'),
  copyRedisChanges: async () => copyResult('redis'),
  publishBackup: async () => BACKUP_RECORD,
  discardBackup: async () => {},
  planRestore: async () => PLAN,
  stopServices: async () => {},
  startServices: async () => {},
  swapDatabase: async () => ({ replaced: 'auth__replaced_1' }),
  dropAside: async () => {},
  recordRestore: async (done) => ({ ...done, finishedAt: AT, expiresAt: AT }),
  loadRestore: async () => RESTORE_RECORD,
  undoSwap: async () => {},
  readCatalog: async () => ({ backups: [BACKUP_RECORD], objects: [], objectsTotal: 0, location: 'memory:' }),
  planVerification: async () => ({ backupIds: ['a', 'b'], problems: [] }),
  verifyBackup: async () => ({ problems: [] }),
  verifyJournal: async () => ({ problems: [] }),
  restorePostgresAside: async () => ({ checks: [CHECK], rolesCreated: ['app'], bytes: 1 }),
  checkRedisSnapshot: async () => ({ keys: 7, check: CHECK }),
  restoreRedis: async () => ({ keys: 7, method: 'replicaof', checks: [CHECK] }),
  emptyRedis: async () => ({ keys: 7, checks: [CHECK] }),
  planSelection: async () => SELECTION,
  loadTables: async () => ({
    tables: [{ schema: 'public', table: 'users', rows: 5 }],
    checks: [CHECK],
    bytes: 1,
    position: null,
  }),
  surveyKeys: async () => ({ matching: 4, replaced: 2, present: 9, check: CHECK, cut: null }),
  loadKeys: async () => ({ keys: 4, expired: 0, checks: [CHECK] }),
  revertKeys: async () => ({ keys: 2 }),
  moveTables: async () => ({ replaced: [] }),
  undoTables: async () => {},
  dropLoadedTables: async () => {},
  planIncremental: async () => ({ full: null, parentId: BACKUP_RECORD.id }),
  markRecoveryPoint: async () => ({
    time: AT,
    postgres: { systemIdentifier: '7300000000000000001', timeline: 1, lsn: '0/16B3748' },
    redis: { replid: 'f'.repeat(40), offset: 1234, keys: 7 },
  }),
  copyIncrementalBase: async () => ({ ref: copyResult('postgres').ref, bytes: 1 }),
  awaitJournal: async () => ({ end: 'durable' }),
  publishIncremental: async () => ({ ...BACKUP_RECORD, kind: 'incremental', parentId: BACKUP_RECORD.id }),
  planDirectory: async () => DIRECTORY_PLAN,
  writeDirectory: async () => ({ postgres: null, redis: null, checks: [CHECK] }),
  clearDirectory: async () => {},
  planCleanup: async () => CLEANUP_PLAN,
  hideRemoved: async () => {},
  purgeHidden: async () => ({ bytes: 7 }),
  removeUnreferenced: async () => ({ bytes: 0, unfinishedWrites: 0 }),
  planTargetCleanup: async () => ({ plan: CLEANUP_PLAN }),
  cleanTarget: async () => ({ bytes: 7, unfinishedWrites: 0 }),
  dropReplaced: async () => ({ dropped: [] }),
  dropReplacedTables: async () => ({ staying: [] }),
  changeHold: async () => ({ backup: BACKUP_RECORD, recalled: [] }),
  copyToTarget: async () => ({
    backups: [BACKUP_RECORD.id],
    backupsTotal: 1,
    present: 0,
    objects: 3,
    bytes: 1,
    problems: [],
  }),
  copyJournals: async () => ({ end: 'handed-over', problems: [] }),
  planOldestVerification: async () => ({
    due: [
      { backupId: 'a', storedBytes: 60, verifiedAt: null },
      { backupId: 'b', storedBytes: 60, verifiedAt: AT },
      { backupId: 'c', storedBytes: 60, verifiedAt: AT },
    ],
    total: 3,
    problems: [],
  }),
  planRewrap: async () => ({ keyId: 'key-new' }),
  rewrapKeys: async ({ keyId }) => ({
    keyId,
    escrowIds: [],
    total: 3,
    rewrapped: 2,
    problems: [],
    problemsTotal: 0,
  }),
  acceptPlan: async () => {},
  namesOf: async () => ({ names: ['api'] }),
  runChecks: async () => ({ checks: [CHECK] }),
  runCommand: async () => ({ durationMs: 1, lastLine: 'done' }),
  notify: async () => ({ told: ['ops'] }),
  keepRunReport: async ({ report }) => ({ path: `memory:reports/${report.id}/report.json` }),
  recordVerification: async ({ verification }) => ({ ...verification, at: AT }),
  readPlanRecords: async () => ({ verifications: [], report: null }),
  listPlans: async () => ({ plans: [] }),
  requireNotLost: async () => {},
  surveyReadiness: async () => ({ checks: [CHECK], hasRepository: true, ages: { postgres: 1_000, redis: 1_000 } }),
  keepEvaluation: async ({ evaluation }) => ({ ...evaluation, at: AT }),
  planDrill: async () => DRILL_PLAN,
  rehearseDrill: async () => ({
    phases: [],
    checks: [CHECK],
    rtoMs: 5,
    untried: [],
    readWhole: [BACKUP_RECORD.id],
    orphansRemoved: 0,
  }),
  clearDrills: async () => ({ removed: [] }),
  publishDrill: async ({ plan, outcome, ended, request, drillId, workflowId, runId, startedAt, finishedAt }) => ({
    report: {
      version: 1,
      ...request,
      drillId,
      workflowId,
      runId,
      startedAt,
      finishedAt,
      verdict: ended === null ? 'pass' : 'incomplete',
      reasons: ended === null ? [] : [ended.code],
      point: plan,
      phases: [],
      checks: outcome?.checks ?? [],
      rtoMs: outcome?.rtoMs ?? null,
      rpoMs: null,
      behindNewestMs: null,
      objectives: { rtoMs: null, rpoMs: null },
      readWhole: [],
      nextDueAt: null,
    },
    sha256: '0',
    location: 'memory:/reports/',
  }),
  observeFailover: async () => FAILOVER,
  proveLine: async () => ({ lsn: '0/3000010' }),
  takeAuthority: async ({ after, ...request }) => ({ ...AUTHORITY, ...request, epoch: after + 1 }),
  fencePrimary: async () => FENCE,
  awaitCaughtUp: async () => ({ lsn: '0/30000A0' }),
  promoteStandby: async () => PROMOTED,
  repointEndpoint: async () => {},
  countMissing: async () => LOSS,
  planRejoin: async ({ region }) => ({
    region,
    postgres: { ...RETURN, service: 'scenario-postgres', timeline: 1, forkLsn: '0/30000A0', missing: null },
    redis: { ...RETURN, service: 'scenario-redis' },
  }),
  rejoinPostgres: async ({ plan }) => ({ primary: plan.primary, way: 'followed', loss: null }),
  rejoinRedis: async ({ plan }) => ({ primary: plan.primary, discardedBytes: 0 }),
  measureLoss: async ({ forkLsn }) => ({
    kind: 'exact',
    bytes: 0,
    transactions: 0,
    seconds: 0,
    forkLsn,
    endLsn: forkLsn,
    firstCommitAt: null,
    lastCommitAt: null,
  }),
  handOverRedis: async () => REDIS_ROLE,
  promoteReplica: async () => REDIS_ROLE,
  measureRedisLoss: async () => ({ kind: 'exact', bytes: 0, seconds: 0 }),
  lookForAlerts: async ({ memory }) => ({
    memory: memory ?? { ...NOTHING_KNOWN, runs: { since: AT, seen: [], outcomes: [], damage: [] } },
    deliveries: [],
    unseen: [],
    at: AT,
    everyMs: 3_600_000,
  }),
  tellChannel: async () => {},
  followPostgres: async () => ({ end: 'handed-over' }),
  followRedis: async () => ({ end: 'handed-over' }),
};

/** Calls in which it matters which backup is meant. */
const NAMED_WITH_BACKUP = ['restoreRedis', 'emptyRedis', 'verifyBackup'];

interface NamedInput {
  readonly backupId?: string;
  readonly kind?: string;
  /** Of another Redis. */
  readonly target?: string;
  /** Of what is recorded. */
  readonly redis?: unknown;
  /** Where a stream was cut. */
  readonly cut?: { readonly offset: number } | null;
  /** Of a step of a plan. */
  readonly command?: string;
  /** Of a run of a plan. */
  readonly report?: PlanRunView;
  /** Why a standby is promoted. */
  readonly proof?: { readonly kind: string };
  /** Of a plan. */
  readonly evaluation?: { readonly planId: string; readonly state: string };
  /** Of an authority. */
  readonly service?: string;
  /** How a drill ended early. */
  readonly ended?: { readonly code: string } | null;
  /** Who is told what. */
  readonly channel?: string;
  readonly notice?: { readonly state: string; readonly alert: { readonly key: string } };
}

function nameOf(name: string, input: NamedInput): string {
  const { evaluation } = input;
  return evaluation ? `${name}(${evaluation.planId}: ${evaluation.state})` : nameOfCall(name, input);
}

function nameOfCall(name: string, input: NamedInput): string {
  const { backupId, kind, target, redis, cut, command, report, ended, proof, service } = input;
  if (name === 'takeAuthority') return `${name}(${service})`;
  if (name === 'promoteStandby') return `${name}(${proof?.kind})`;
  if (name === 'runCommand') return `${name}(${command})`;
  // How the run ended, and what became of each step.
  if (report) return `${name}(${report.state}: ${report.steps.map(({ status }) => status).join(', ')})`;
  if (name === 'recordRestore' && redis === null) return `${name}(without redis)`;
  if (name === 'publishDrill' && ended) return `${name}(ended with ${ended.code})`;
  if (name === 'emptyRedis' && cut) return `${name}(${backupId} and its stream to ${cut.offset})`;
  if (name === 'verifyJournal') return `${name}(${[kind, backupId].filter(Boolean).join(' of ')})`;
  return NAMED_WITH_BACKUP.includes(name) ? `${name}(${[backupId, target].filter(Boolean).join(' at ')})` : name;
}

function nameOfTold(name: string, { channel, notice }: NamedInput): string {
  return `${name}(${channel}: ${notice?.state} ${notice?.alert.key})`;
}

/** The default answers with some replaced, and a list of the calls. */
export function recordingActivities(planted: Partial<Activities> = {}): Recorded {
  const calls: string[] = [];
  const all = { ...answers, ...planted };
  const entries = Object.entries(all).map(([name, run]) => [
    name,
    async (input: NamedInput) => {
      calls.push(input.notice ? nameOfTold(name, input) : nameOf(name, input));
      return (run as (input: unknown) => Promise<unknown>)(input);
    },
  ]);
  return { calls, activities: Object.fromEntries(entries) as Activities };
}
