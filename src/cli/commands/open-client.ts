import { hostname, userInfo } from 'node:os';
import type { Client } from '@temporalio/client';
import type { LoadedConfig } from '../../config/load-config.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { CommandContext } from '../command.ts';

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
 * Connects to Temporal. Where nothing is configured and nothing answers at the default address, the local stack is started; a
 * local worker that runs with another configuration is replaced.
 * @throws LifeboatError TEMPORAL_UNREACHABLE, WORKER_MISSING
 */
export async function openClient(context: CommandContext): Promise<OpenedClient> {
  const loaded = await context.config();
  const { config } = loaded;
  const { connectClient } = await import('../../temporal/connection.ts');
  const requestedBy = `${userInfo().username}@${hostname()}`;
  const address = (await localAddress(context, loaded)) ?? config.temporal.address;
  const opened = await connectClient({ address, namespace: config.temporal.namespace }, `cli:${requestedBy}`);
  try {
    const { requireWorkers } = await import('../../client/workers.ts');
    await requireWorkers(opened.client, config.group);
  } catch (error) {
    await opened.close();
    throw error;
  }
  return { ...opened, group: config.group, requestedBy, loaded };
}

/**
 * Address of the local stack, brought up if it has to be; undefined where something names a server. A server that merely
 * answers at the default address is left alone: it may be another project's, and its worker would act on other databases.
 */
async function localAddress(context: CommandContext, loaded: LoadedConfig): Promise<string | undefined> {
  const { config } = loaded;
  const { addressOfEnvironment } = await import('../../temporal/connection.ts');
  const named = config.temporal.address ?? addressOfEnvironment();
  if (named !== undefined || !config.embedded.autoStart) return undefined;
  const { ensureLocalStack } = await import('../stack.ts');
  const status = await ensureLocalStack(context, loaded);
  if (status.temporalAddress !== undefined) return status.temporalAddress;
  throw new LifeboatError('TEMPORAL_UNREACHABLE', 'start the local stack: temporal did not come up');
}
