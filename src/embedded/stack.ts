import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { withLock } from '../platform/lock.ts';
import { freePortNear, isPortFree, withPorts } from '../platform/ports.ts';
import { isRunning } from '../platform/process-identity.ts';
import { demoPostgres, demoRedis, type LocalDatabases } from './databases.ts';
import { PROJECT_DIR } from './places.ts';
import {
  describeService,
  ensureService,
  startService,
  STOP_ORDER,
  stopService,
  type BackgroundCommand,
  type ServiceName,
  type ServiceStatus,
} from './services.ts';
import { readStackState, type ServiceRecord } from './stack-state.ts';
import { temporalServes } from './temporal-probe.ts';
import { temporalCommand, temporalVariables } from './temporal-server.ts';
import { createToolbox, type NamedTools } from './toolbox.ts';
import { WORKER_MEMORY } from './worker-memory.ts';

export interface StackOptions {
  /** Usually `defaultStateDir()`. */
  readonly stateDir: string;
  /** What the worker needs beside a minimal environment: its configuration variables. Those of Temporal are set here. */
  readonly workerEnv: Readonly<Record<string, string>>;
  /** Folder in which the worker runs: relative paths of its configuration start there. */
  readonly workerCwd?: string;
  /** Changes when the worker's configuration changes; a worker with another one is replaced. */
  readonly configDigest: string;
  /** Programs that the configuration names. */
  readonly named?: NamedTools | undefined;
  readonly signal: AbortSignal;
  /** Told what is done, one line each: downloads, starts, restarts. */
  readonly onPhase: (line: string) => void;
  /** Asked before a worker that runs is replaced by one with another configuration; rejects where that would do harm. */
  readonly beforeReplacingWorker?: (temporalAddress: string) => Promise<void>;
  /** Program of the worker; prints a line with `"ready":true` once it polls. */
  readonly workerEntry?: string;
}

export interface StackStatus {
  readonly services: readonly ServiceStatus[];
  /** `127.0.0.1:7233`; undefined when no local Temporal runs. */
  readonly temporalAddress?: string;
  readonly uiUrl?: string;
}

const DEFAULT_TEMPORAL_PORT = 7233;
const DEFAULT_UI_PORT = 8233;
const PORT_RELEASE_MS = 1_000;
const PORT_POLL_MS = 50;
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
    // Downloads happen before ports are looked for: other stacks may have to wait for those.
    await Promise.all([toolbox.postgresBinDir(), toolbox.redis()]);
    const known = (await readStackState(options.stateDir)).services;
    return withPorts(async () => {
      const postgres = await demoPostgres({ ...options, toolbox, port: await keptPort(known['postgres']) });
      await ensureService(options, 'postgres', { command: postgres.command, port: postgres.target.port });
      const redis = await demoRedis({ ...options, toolbox, port: await keptPort(known['redis']) });
      await ensureService(options, 'redis', { command: redis.command, port: redis.target.port });
      return { postgres: postgres.target, redis: redis.target };
    });
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
  // Temporal makes its files readable to everybody, so their folder is closed; histories are nobody else's business.
  const folder = join(options.stateDir, 'temporal');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const databaseFile = join(folder, 'temporal.db');
  return withPorts(async () => {
    const port = (await ifFree(temporal?.port)) ?? (await freePortNear(DEFAULT_TEMPORAL_PORT));
    const uiPort = (await ifFree(temporal?.uiPort)) ?? (await freePortNear(DEFAULT_UI_PORT));
    const command = temporalCommand({ cliPath, port, uiPort, databaseFile, folder });
    await startService(options, 'temporal', { command, port, uiPort });
    return port;
  });
}

async function ensureWorker(options: StackOptions, temporalAddress: string): Promise<void> {
  const digest = createHash('sha256')
    .update(`${options.configDigest}\n${options.workerCwd}\n${temporalAddress}`)
    .digest('hex');
  const command = workerCommand(options, temporalAddress);
  const { worker } = (await readStackState(options.stateDir)).services;
  const replaces = worker?.ready === true && worker.digest !== digest && (await isRunning(worker));
  if (replaces) await options.beforeReplacingWorker?.(temporalAddress);
  await ensureService(options, 'worker', { command, digest });
}

function workerCommand(options: StackOptions, temporalAddress: string): BackgroundCommand {
  return {
    name: 'worker',
    command: process.execPath,
    args: [...WORKER_MEMORY.nodeArguments, options.workerEntry ?? join(PROJECT_DIR, 'src/worker.ts')],
    env: { ...WORKER_MEMORY.environment, ...withoutTemporal(options.workerEnv), ...temporalVariables(temporalAddress) },
    cwd: options.workerCwd ?? PROJECT_DIR,
    isReady: async (log) => (await log()).includes('"ready":true'),
  };
}

/** TEMPORAL_TLS, TEMPORAL_API_KEY, a profile: those of another server, which must not get in the way here. */
function withoutTemporal(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_')));
}

async function readStatus(stateDir: string): Promise<StackStatus> {
  const { services } = await readStackState(stateDir);
  const states = await Promise.all(
    STOP_ORDER.flatMap((name) => {
      const record = services[name];
      return record === undefined ? [] : [describeService(name, record)];
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

/** The port of a service that runs, or ran: open clients find it again there. Undefined when a stranger has it now. */
async function keptPort(known: ServiceRecord | undefined): Promise<number | undefined> {
  return known !== undefined && (await isRunning(known)) ? known.port : ifFree(known?.port);
}

/** The port when it is free, or becomes free soon: the system closes the sockets of a killed process a moment after its end. */
async function ifFree(port: number | undefined): Promise<number | undefined> {
  if (port === undefined) return undefined;
  for (let waitedMs = 0; waitedMs < PORT_RELEASE_MS; waitedMs += PORT_POLL_MS) {
    if (await isPortFree(port)) return port;
    await delay(PORT_POLL_MS);
  }
  return undefined;
}

function lockName(stateDir: string): string {
  return join(stateDir, 'stack');
}

export type { LocalDatabases, NamedTools, ServiceName, ServiceStatus };
