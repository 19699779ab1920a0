import { join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import { endProcessGroup, isRunning, type ProcessIdentity } from '../platform/process-identity.ts';
import { startInBackground } from './background.ts';
import type { ServerCommand } from './local-server.ts';
import { readStackState, writeStackState, type ServiceRecord, type StackState } from './stack-state.ts';

/** The background processes of one state folder. Callers hold the lock of the stack. */
export type ServiceName = 'temporal' | 'worker' | 'postgres' | 'redis';

export interface ServiceStatus {
  readonly name: ServiceName;
  readonly state: 'running' | 'dead';
  readonly pid: number;
  /** ISO 8601. */
  readonly since: string;
  readonly port?: number;
}

/** Ended in this order: who works before what it works on. */
export const STOP_ORDER: readonly ServiceName[] = ['worker', 'temporal', 'redis', 'postgres'];
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

export type BackgroundCommand = Parameters<typeof startInBackground>[0];
/** What is started, and what is remembered of it besides its process. */
export type Service = { readonly command: BackgroundCommand | ServerCommand } & Pick<
  ServiceRecord,
  'port' | 'uiPort' | 'digest'
>;
export interface ServicePlace {
  readonly stateDir: string;
  readonly onPhase: (line: string) => void;
}

/** Leaves a service that runs with the same digest; replaces one with another, starts one that is dead. */
export async function ensureService(options: ServicePlace, name: ServiceName, service: Service): Promise<void> {
  const known = (await readStackState(options.stateDir)).services[name];
  if (known?.ready === true && (await isRunning(known))) {
    if (known.digest === service.digest) return;
    options.onPhase(`restarting ${name}: its configuration has changed`);
  }
  await stopService(options, name);
  await startService(options, name, service);
}

/** Starts a service that is not running; remembered before it is ready, so that a crash loses no process. */
export async function startService(options: ServicePlace, name: ServiceName, service: Service): Promise<void> {
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

/** Ends a service and forgets it; true when it ran. Throws STACK_NOT_STOPPED. */
export async function stopService(options: ServicePlace, name: ServiceName): Promise<boolean> {
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

/** How a remembered service is now. */
export async function describeService(name: ServiceName, record: ServiceRecord): Promise<ServiceStatus> {
  const state = (await isRunning(record)) ? 'running' : 'dead';
  const { pid, since, port } = record;
  return { name, state, pid, since, ...(port === undefined ? {} : { port }) };
}
