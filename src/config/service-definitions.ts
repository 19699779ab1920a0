import { durationMs } from '../domain/duration.ts';
import type { ServiceDefinition } from '../services/services.ts';
import type { Config } from './schema/config.ts';

/** The configured services, in the order in which they stop. */
export function serviceDefinitions(config: Config): readonly ServiceDefinition[] {
  return config.services.map(({ name, stop, start, timeout }) => ({
    name,
    stop,
    start,
    timeoutMs: durationMs(timeout),
  }));
}
