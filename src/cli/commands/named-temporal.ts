import type { LoadedConfig } from '../../config/load-config.ts';
import type { TemporalAddress } from '../../temporal/connection.ts';
import type { CommandContext } from '../command.ts';

/**
 * The Temporal server that the configuration, the environment or a profile names; undefined where none does and the local
 * stack is meant. A server that merely answers at the default address is left alone: it may be another project's, and its
 * worker would act on other databases.
 * @throws LifeboatError CONFIG_INVALID
 */
export async function namedTemporal(
  { env }: Pick<CommandContext, 'env'>,
  { config }: Pick<LoadedConfig, 'config'>,
): Promise<TemporalAddress | undefined> {
  const { addressOfEnvironment } = await import('../../temporal/connection.ts');
  const address = config.temporal.address ?? addressOfEnvironment(env);
  if (address === undefined && config.embedded.autoStart) return undefined;
  return { address, namespace: config.temporal.namespace, env };
}
