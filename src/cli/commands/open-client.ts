import { hostname, userInfo } from 'node:os';
import type { Client } from '@temporalio/client';
import type { LoadedConfig } from '../../config/load-config.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { TemporalAddress } from '../../temporal/connection.ts';
import type { CommandContext } from '../command.ts';
import { namedTemporal } from './named-temporal.ts';

/** A connection to Temporal with what the managers need. */
export interface OpenedClient {
  readonly client: Client;
  readonly group: string;
  /** `user@host`. */
  readonly requestedBy: string;
  readonly loaded: LoadedConfig;
  close(): Promise<void>;
}

/**
 * Connects to Temporal. Where no server is named the local stack is meant, and started if it has to be; a local worker that
 * runs with another configuration is replaced. `worker: 'any'` leaves it: whoever only follows or stops what it does needs no other.
 * @throws LifeboatError TEMPORAL_UNREACHABLE, WORKER_MISSING
 */
export async function openClient(
  context: CommandContext,
  { worker = 'own' }: { readonly worker?: 'own' | 'any' } = {},
): Promise<OpenedClient> {
  const loaded = await context.config();
  const { config } = loaded;
  const { connectClient } = await import('../../temporal/connection.ts');
  const where = (await namedTemporal(context, loaded)) ?? (await localStack(context, loaded, worker));
  const requestedBy = `${userInfo().username}@${hostname()}`;
  const opened = await connectClient(where, `cli:${requestedBy}`);
  try {
    const { requireWorkers } = await import('../../client/workers.ts');
    await requireWorkers(opened.client, config.group);
  } catch (error) {
    await opened.close();
    throw error;
  }
  return { ...opened, group: config.group, requestedBy, loaded };
}

/** The local stack, brought up if it has to be. */
async function localStack(
  context: CommandContext,
  loaded: LoadedConfig,
  worker: 'own' | 'any',
): Promise<TemporalAddress> {
  const { ensureLocalStack, runningLocalStack } = await import('../stack.ts');
  const running = worker === 'any' ? await runningLocalStack(loaded) : undefined;
  const { temporalAddress } = running ?? (await ensureLocalStack(context, loaded));
  const { localTemporal } = await import('../../temporal/connection.ts');
  if (temporalAddress !== undefined) return localTemporal(temporalAddress);
  throw new LifeboatError('TEMPORAL_UNREACHABLE', 'start the local stack: temporal did not come up');
}
