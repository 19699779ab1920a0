import { cleanupRules } from './assembly/cleanup-rules.ts';
import { drillSettings } from './assembly/drill-settings.ts';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { getClient } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { createActivities } from './activities/index.ts';
import { createErrorInterceptor } from './activities/interceptors/errors.ts';
import type { Dependencies, WorkSettings } from './activities/dependencies.ts';
import { type Libraries, openLibraries } from './assembly/libraries.ts';
import { codecOf } from './assembly/open-repository.ts';
import { alertSettings } from './config/alert-settings.ts';
import { processEnvironment } from './config/environment.ts';
import { loadConfig } from './config/load-config.ts';
import type { LoadedConfig } from './config/load-config.ts';
import { isPostgresConfigured, postgresTarget } from './config/postgres-target.ts';
import { isRedisConfigured, redisTarget, redisTargetAt } from './config/redis-target.ts';
import { configuredSchedules } from './config/schedules/schedule-definitions.ts';
import type { WorkerRole } from './contract/names.ts';
import { durationMs } from './domain/duration.ts';
import { LifeboatError, toLifeboatError } from './domain/errors.ts';
import { whyNotKept } from './domain/kept-journals.ts';
import { ensureJournalCopies } from './client/journal-copies.ts';
import { readScheduleProblems } from './client/schedules/read-schedules.ts';
import { applyUntilDone } from './client/schedules/keep-applied.ts';
import { readJournalStatus } from './client/journal-status.ts';
import { endJournal, ensureJournal } from './client/journals.ts';
import { keepAlerts } from './client/keep-alerts.ts';
import { readRuns } from './client/read-runs.ts';
import { connectClient } from './temporal/connection.ts';
import { serverPlace } from './embedded/places.ts';
import { stateDirOf } from './assembly/state-dir.ts';
import { createWorkerLog } from './temporal/log.ts';
import type { WorkerLog } from './temporal/log.ts';
import { sweepScratch } from './recovery/drill/scratch-place.ts';
import { openMonitoring, type Watched } from './sampling/open-monitoring.ts';
import { runWorkers } from './temporal/run-workers.ts';
import type { RunningWorkers } from './temporal/run-workers.ts';

const ALL_ROLES: readonly WorkerRole[] = ['control', 'data', 'journal', 'copy'];
/** Between two attempts to reach Temporal at start. */
const CONNECT_PAUSE_MS = 2_000;
const VERSION = '1.0.0';
const TOOL = `lifeboat/${VERSION}`;

export interface WorkerOptions {
  readonly loaded: LoadedConfig;
  readonly roles: readonly WorkerRole[];
  readonly signal: AbortSignal;
  /** Called once the worker polls. */
  onReady(): void;
}

/** Runs a worker until `signal` aborts. Waits for a Temporal server that is not there yet, and says so in the log. */
export async function runWorker({ loaded, roles, signal, onReady }: WorkerOptions): Promise<void> {
  const { config } = loaded;
  const stateDir = stateDirOf(config);
  const scratchDir = join(stateDir, 'scratch');
  await mkdir(scratchDir, { recursive: true, mode: 0o700 });
  await mkdir(dirname(config.log.path), { recursive: true });
  const log = createWorkerLog(config.log);

  const libraries = openLibraries(loaded, { tool: TOOL, stateDir, scratchDir });
  const settings = workSettings(loaded, scratchDir);
  const deps = { settings, ...libraries, temporal: temporalView(config) };
  const watched = await openMonitoring({ config, deps, roles, version: VERSION, log });
  try {
    await sweepScratchPlaces(settings, log);
    await work({ loaded, roles, signal, onReady }, { deps, stateDir, log, watched });
  } finally {
    await watched.close();
  }
}

interface Surroundings {
  readonly deps: Dependencies;
  readonly stateDir: string;
  readonly log: WorkerLog;
  readonly watched: Watched;
}

async function work(
  { loaded, roles, signal, onReady }: WorkerOptions,
  { deps, stateDir, log, watched }: Surroundings,
): Promise<void> {
  const { config } = loaded;
  const { group } = config;
  const activities = createActivities(deps);
  const start = (): Promise<RunningWorkers> =>
    runWorkers({
      temporal: config.temporal,
      identity: `lifeboat@${hostname()}:${process.pid}`,
      roles,
      group,
      activities,
      activityInterceptors: [() => ({ inbound: createErrorInterceptor() })],
      dataSlots: config.worker.dataSlots,
      cacheDir: stateDir,
    });
  const waiting = { log, signal, onWait: (problem: string) => watched.enter('waiting', problem) };
  const workers = await untilReachable(start, waiting);
  // Ended before there was a server: nothing was begun.
  if (workers === null) return;
  const ended = new AbortController();
  const ending = AbortSignal.any([signal, ended.signal]);
  const end = (): void => {
    watched.enter('ended');
    workers.shutdown();
  };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  else watched.enter('polling');
  const scheduling = roles.includes('control') ? keepSchedules(loaded, { log, signal: ending }) : undefined;
  if (roles.includes('control')) await untilReachable(() => keepGoing(loaded, deps), { ...waiting, onWait: () => {} });
  log.info('worker ready', { roles, group });
  onReady();
  try {
    await workers.ended;
  } finally {
    ended.abort();
    await scheduling;
  }
  log.info('worker ended', {});
}

/** Makes Temporal's schedules what is configured, beside the work. */
async function keepSchedules(
  { config }: LoadedConfig,
  { log, signal }: { readonly log: WorkerLog; readonly signal: AbortSignal },
): Promise<void> {
  const asked = { group: config.group, configured: configuredSchedules(config) };
  const connect = (): ReturnType<typeof connectClient> =>
    connectClient(config.temporal, `lifeboat@${hostname()}:${process.pid}/schedules`);
  await applyUntilDone(connect, asked, { log, signal });
}

/** Asked from within activities, on the worker's own connection. */
function temporalView(config: LoadedConfig['config']): Dependencies['temporal'] {
  const { group } = config;
  return {
    runs: async (known) => readRuns(getClient(), group, known),
    journals: async (facts) => readJournalStatus(getClient(), group, facts),
    schedules: async () => readScheduleProblems(getClient(), group, configuredSchedules(config)),
  };
}

/** What drills of workers that died have left here. Trouble with it keeps no worker from its work: the next drill meets it again. */
async function sweepScratchPlaces(settings: WorkSettings, log: WorkerLog): Promise<void> {
  try {
    const { removed, left } = await sweepScratch(await settings.scratchFolder());
    for (const drillId of removed) log.info('removed what a drill had left', { drillId });
    for (const mark of left) log.warn('left a scratch place alone', { mark });
  } catch (error) {
    log.warn('look for what drills have left', { error: toLifeboatError(error).message });
  }
}

/** Starts the runs that have no end, where they do not run yet, and ends those of journals that are not kept any more. */
async function keepGoing(loaded: LoadedConfig, { targets }: Pick<Libraries, 'targets'>): Promise<void> {
  const { config } = loaded;
  const { client, close } = await connectClient(config.temporal, `lifeboat@${hostname()}:${process.pid}/journals`);
  const requestedBy = `worker@${hostname()}`;
  try {
    await keepAlerts(client, { group: config.group, requestedBy, settings: alertSettings(config) });
    await (config.journal.enabled ? keepJournals : endJournals)(client, loaded, requestedBy);
    for (const { name: target } of targets)
      await ensureJournalCopies(client, { group: config.group, target, requestedBy });
  } finally {
    await close();
  }
}

/** The journals, but for one that nothing is to be kept by: that is ended. */
async function keepJournals(client: Client, loaded: LoadedConfig, requestedBy: string): Promise<void> {
  const { config } = loaded;
  const kinds = [
    ...(isPostgresConfigured(loaded) ? (['postgres'] as const) : []),
    ...(isRedisConfigured(loaded) ? (['redis'] as const) : []),
  ];
  for (const kind of kinds) {
    const journal = { group: config.group, kind, requestedBy };
    const reason = whyNotKept(kind, config);
    await (reason === null ? ensureJournal(client, journal) : endJournal(client, { ...journal, reason }));
  }
}

/** Switched off: a run of before would follow on, and be called disabled. What it has kept stays. */
async function endJournals(client: Client, { config }: LoadedConfig, requestedBy: string): Promise<void> {
  const reason = 'journal.enabled is false';
  for (const kind of ['postgres', 'redis'] as const) {
    await endJournal(client, { group: config.group, kind, requestedBy, reason });
  }
}

interface Waiting {
  readonly log: WorkerLog;
  readonly signal: AbortSignal;
  onWait(problem: string): void;
}

/** Tries until Temporal answers: a worker may well be up before its server. Null where `signal` ended the waiting. */
async function untilReachable<T>(start: () => Promise<T>, { log, signal, onWait }: Waiting): Promise<T | null> {
  while (!signal.aborted) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof LifeboatError) || error.code !== 'TEMPORAL_UNREACHABLE') throw error;
      log.warn('waiting for temporal', { error: error.message });
      onWait(error.message);
      // Ended by the signal: the loop's condition sees it.
      await delay(CONNECT_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return null;
}

function workSettings(loaded: LoadedConfig, scratchDir: string): WorkSettings {
  const { config } = loaded;
  const codec = codecOf(config);
  const { jobs, bigTableBytes } = config.postgres;
  const { method, agentHost, preferReplica } = config.redis;
  if (method === 'rdb-file') {
    throw new LifeboatError(
      'SOURCE_METHOD_UNAVAILABLE',
      'redis.method is rdb-file: only auto, replication and dump are there',
    );
  }
  const lockTimeoutMs = durationMs(config.postgres.lockTimeout);
  const postgresLevel = codec.compression === 'none' ? 0 : codec.compressionLevel;
  return {
    group: config.group,
    codec,
    postgres: isPostgresConfigured(loaded)
      ? {
          target: postgresTarget(loaded),
          jobs,
          bigTableBytes,
          zstdLevel: postgresLevel,
          lockTimeoutMs,
          physical: config.postgres.physical,
          native: config.postgres.incremental === 'native' ? { chainMax: config.postgres.incrementalChain } : null,
        }
      : null,
    redis: isRedisConfigured(loaded) ? { target: redisTarget(loaded), method, agentHost, preferReplica } : null,
    redisAt: (url) => redisTargetAt(loaded, url),
    journal: {
      enabled: config.journal.enabled,
      flushMs: config.journal.flushSeconds * 1_000,
      slot: config.postgres.slot,
      spillDirectory: scratchDir,
    },
    scratchFolder: async () => {
      const { folder } = await serverPlace(stateDirOf(config));
      return config.restore.scratchDir ?? join(folder, 'restoring');
    },
    keepReplacedMs: durationMs(config.restore.keepReplaced),
    cleanup: cleanupRules(config),
    alerts: alertSettings(config),
    drill: drillSettings(config),
    stallAfterMs: durationMs(config.worker.stallAfter),
  };
}

/** `--roles control,data`. */
export function rolesOf(text: string | undefined): readonly WorkerRole[] {
  if (text === undefined) return ALL_ROLES;
  return text.split(',').map((name) => {
    const role = ALL_ROLES.find((known) => known === name.trim());
    if (role !== undefined) return role;
    throw new LifeboatError('USAGE_INVALID', `--roles: unknown role ${name}: expected ${ALL_ROLES.join(', ')}`);
  });
}

/** The line that whoever started this process waits for. */
function sayReady(): void {
  process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid })}\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { roles: { type: 'string' } } });
  const loaded = loadConfig({ env: processEnvironment(), cwd: process.cwd() });
  const abort = new AbortController();
  process.on('SIGTERM', () => abort.abort()).on('SIGINT', () => abort.abort());
  await runWorker({ loaded, roles: rolesOf(values.roles), signal: abort.signal, onReady: sayReady });
}

if (import.meta.main) {
  try {
    await main();
    process.exit(0);
  } catch (error) {
    const { code, message, hint, rule } = toLifeboatError(error);
    process.stderr.write(`error: ${message}\n  hint: ${hint}\n  code: ${code}\n`);
    process.exit(rule.exit);
  }
}
