import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import { withLock } from '../platform/lock.ts';
import { freePortNear, isPortFree } from '../platform/ports.ts';
import { endProcessGroup, isRunning, type ProcessIdentity } from '../platform/process-identity.ts';
import { startInBackground } from './background.ts';
import { demoPostgres, demoRedis, type LocalDatabases } from './databases.ts';
import type { ServerCommand } from './local-server.ts';
import { PROJECT_DIR } from './places.ts';
import { readStackState, writeStackState, type ServiceRecord, type StackState } from './stack-state.ts';
import { temporalServes } from './temporal-probe.ts';
import { temporalCommand } from './temporal-server.ts';
import { createToolbox, type Toolbox } from './toolbox.ts';

export type ServiceName = 'temporal' | 'worker' | 'postgres' | 'redis';

export interface StackOptions {
  /** Usually `defaultStateDir()`. */
  readonly stateDir: string;
  /** What the worker needs beside a minimal environment: its configuration variables. TEMPORAL_ADDRESS is set here. */
  readonly workerEnv: Readonly<Record<string, string>>;
  /** Folder in which the worker runs: relative paths of its configuration start there. */
  readonly workerCwd?: string;
  /** Changes when the worker's configuration changes; a worker with another one is replaced. */
  readonly configDigest: string;
  readonly signal: AbortSignal;
  /** Told what is done, one line each: downloads, starts, restarts. */
  readonly onPhase: (line: string) => void;
  /** Program of the worker; prints a line with `"ready":true` once it polls. */
  readonly workerEntry?: string;
}

export interface ServiceStatus {
  readonly name: ServiceName;
  readonly state: 'running' | 'dead';
  readonly pid: number;
  /** ISO 8601. */
  readonly since: string;
  readonly port?: number;
}

export interface StackStatus {
  readonly services: readonly ServiceStatus[];
  /** `127.0.0.1:7233`; undefined when no local Temporal runs. */
  readonly temporalAddress?: string;
  readonly uiUrl?: string;
}

const DEFAULT_TEMPORAL_PORT = 7233;
const DEFAULT_UI_PORT = 8233;
/** Ended in this order: who works before what it works on. */
const STOP_ORDER: readonly ServiceName[] = ['worker', 'temporal', 'redis', 'postgres'];
/** A worker may finish what is in flight; Temporal and the databases flush. */
const STOP_GRACE_MS: Record<ServiceName, number> = {
  worker: 20_000,
  temporal: 10_000,
  redis: 10_000,
  postgres: 15_000,
};
const STOP_SIGNAL: Record<ServiceName, NodeJS.Signals> = {
  worker: 'SIGTERM',
  temporal: 'SIGTERM',
  redis: 'SIGTERM',
  postgres: 'SIGINT',
};

/**
 * Brings up Temporal and a worker in the background, or leaves them when they run and fit: safe to repeat, two at once
 * give one stack, dead ones are started again, a worker with another configuration is replaced.
 * Throws what provisioning throws, SERVER_NOT_STARTED, LOCK_HELD.
 */
export async function ensureStack(options: StackOptions): Promise<StackStatus> {
  await mkdir(options.stateDir, { recursive: true });
  return withLock(
    lockName(options.stateDir),
    async () => {
      const port = await ensureTemporal(options);
      await ensureWorker(options, `127.0.0.1:${port}`);
      return readStatus(options.stateDir);
    },
    { onWait: () => options.onPhase('waiting for another lifeboat process that starts the stack') },
  );
}

/** A demo PostgreSQL and Redis in the background, kept until stopStack; safe to repeat. */
export async function ensureDatabases(
  options: Omit<StackOptions, 'workerEnv' | 'workerCwd' | 'configDigest' | 'workerEntry'>,
): Promise<LocalDatabases> {
  await mkdir(options.stateDir, { recursive: true });
  return withLock(lockName(options.stateDir), async () => {
    const toolbox = createToolbox(options);
    const known = (await readStackState(options.stateDir)).services;
    const postgres = await demoPostgres({ ...options, toolbox, port: known['postgres']?.port });
    await ensureService(options, 'postgres', { command: postgres.command, port: postgres.target.port });
    const redis = await demoRedis({ ...options, toolbox, port: known['redis']?.port });
    await ensureService(options, 'redis', { command: redis.command, port: redis.target.port });
    return { postgres: postgres.target, redis: redis.target };
  });
}

/** Ends everything that runs in the background, politely and then hard, and makes sure of it. Throws STACK_NOT_STOPPED. */
export async function stopStack(options: {
  readonly stateDir: string;
  readonly onPhase: (line: string) => void;
}): Promise<readonly ServiceName[]> {
  return withLock(lockName(options.stateDir), async () => {
    const stopped: ServiceName[] = [];
    for (const name of STOP_ORDER) {
      if (await stopService(options, name)) stopped.push(name);
    }
    return stopped;
  });
}

/** What is known to run, each checked now. Reads only. */
export async function stackStatus(options: { readonly stateDir: string }): Promise<StackStatus> {
  return readStatus(options.stateDir);
}

async function ensureTemporal(options: StackOptions): Promise<number> {
  const { temporal } = (await readStackState(options.stateDir)).services;
  if (
    temporal?.port !== undefined &&
    temporal.ready &&
    (await isRunning(temporal)) &&
    (await temporalServes(`127.0.0.1:${temporal.port}`))
  ) {
    return temporal.port;
  }
  const cliPath = await createToolbox(options).temporalCli();
  await stopService(options, 'temporal');
  const port = await preferredPort(temporal?.port, DEFAULT_TEMPORAL_PORT);
  const uiPort = await preferredPort(temporal?.uiPort, DEFAULT_UI_PORT);
  const databaseFile = join(options.stateDir, 'temporal.db');
  const command = temporalCommand({ cliPath, port, uiPort, databaseFile, folder: options.stateDir });
  await startService(options, 'temporal', { command, port, uiPort });
  return port;
}

async function ensureWorker(options: StackOptions, temporalAddress: string): Promise<void> {
  const digest = createHash('sha256')
    .update(`${options.configDigest}\n${options.workerCwd}\n${temporalAddress}`)
    .digest('hex');
  const command = workerCommand(options, temporalAddress);
  await ensureService(options, 'worker', { command, digest });
}

function workerCommand(options: StackOptions, temporalAddress: string): BackgroundCommand {
  return {
    name: 'worker',
    command: process.execPath,
    args: [options.workerEntry ?? join(PROJECT_DIR, 'src/worker.ts')],
    env: { ...options.workerEnv, TEMPORAL_ADDRESS: temporalAddress },
    cwd: options.workerCwd ?? PROJECT_DIR,
    isReady: async (log) => (await log()).includes('"ready":true'),
  };
}

type BackgroundCommand = Parameters<typeof startInBackground>[0];
type Service = { readonly command: BackgroundCommand | ServerCommand } & Pick<
  ServiceRecord,
  'port' | 'uiPort' | 'digest'
>;
type StackPlace = Pick<StackOptions, 'stateDir' | 'onPhase'>;

/** Leaves a service that runs with the same digest; replaces one with another, starts one that is dead. */
async function ensureService(options: StackPlace, name: ServiceName, service: Service): Promise<void> {
  const known = (await readStackState(options.stateDir)).services[name];
  if (known?.ready === true && (await isRunning(known))) {
    if (known.digest === service.digest) return;
    options.onPhase(`restarting ${name}: its configuration has changed`);
  }
  await stopService(options, name);
  await startService(options, name, service);
}

async function startService(options: StackPlace, name: ServiceName, service: Service): Promise<void> {
  options.onPhase(`starting ${name}`);
  const { command, ...facts } = service;
  const { stateDir } = options;
  let record: ServiceRecord | undefined;
  await startInBackground(command, {
    logFile: join(stateDir, 'logs', `${name}.log`),
    async onLaunched(identity) {
      record = { ...identity, ready: false, since: new Date().toISOString(), ...facts };
      await remember(stateDir, name, record);
    },
  });
  if (record !== undefined) await remember(stateDir, name, { ...record, ready: true });
}

async function stopService(options: StackPlace, name: ServiceName): Promise<boolean> {
  const known = (await readStackState(options.stateDir)).services[name];
  if (known === undefined) return false;
  const wasRunning = await isRunning(known);
  if (wasRunning) options.onPhase(`stopping ${name}`);
  await endForCertain(name, known);
  await remember(options.stateDir, name, undefined);
  return wasRunning;
}

async function endForCertain(name: ServiceName, identity: ProcessIdentity): Promise<void> {
  if (await endProcessGroup(identity, { signal: STOP_SIGNAL[name], graceMs: STOP_GRACE_MS[name] })) return;
  throw new LifeboatError('STACK_NOT_STOPPED', `stop ${name}: process ${identity.pid} runs on`, {
    details: { pid: identity.pid },
  });
}

async function remember(stateDir: string, name: ServiceName, record: ServiceRecord | undefined): Promise<void> {
  const { services } = await readStackState(stateDir);
  const { [name]: _, ...others } = services;
  const next: StackState = { version: 1, services: record === undefined ? others : { ...others, [name]: record } };
  await writeStackState(stateDir, next);
}

async function readStatus(stateDir: string): Promise<StackStatus> {
  const { services } = await readStackState(stateDir);
  const states = await Promise.all(
    STOP_ORDER.flatMap((name) => {
      const record = services[name];
      return record === undefined ? [] : [describe(name, record)];
    }),
  );
  const temporal = states.find(({ name, state }) => name === 'temporal' && state === 'running');
  if (temporal === undefined) return { services: states };
  return {
    services: states,
    temporalAddress: `127.0.0.1:${temporal.port}`,
    uiUrl: `http://127.0.0.1:${services['temporal']?.uiPort}`,
  };
}

async function describe(name: ServiceName, record: ServiceRecord): Promise<ServiceStatus> {
  const state = (await isRunning(record)) ? 'running' : 'dead';
  const { pid, since, port } = record;
  return { name, state, pid, since, ...(port === undefined ? {} : { port }) };
}

/** The port of last time, so that open clients find the server again; else the usual one or its neighbours. */
async function preferredPort(last: number | undefined, usual: number): Promise<number> {
  return last !== undefined && (await isPortFree(last)) ? last : freePortNear(usual);
}

function lockName(stateDir: string): string {
  return join(stateDir, 'stack');
}

export type { LocalDatabases, Toolbox };
