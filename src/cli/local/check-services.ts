import type { Environment } from '../../config/environment.ts';
import { serviceDefinitions } from '../../config/service-definitions.ts';
import type { Config } from '../../config/schema/config.ts';
import { requireExecutable } from '../../platform/executable.ts';
import { attempt, type ConfigCheck, skip } from './check.ts';

/** Whether the programs of the stop and start commands exist. None of them is run. */
export async function checkServices(config: Config, env: Environment): Promise<readonly ConfigCheck[]> {
  const services = serviceDefinitions(config);
  if (services.length === 0) return [skip('services', 'none are configured: --stop-services has nothing to stop')];
  return Promise.all(
    services.map((service) =>
      attempt(`service ${service.name}`, () => {
        const found = [service.stop, service.start].map((command) =>
          typeof command === 'string'
            ? '/bin/sh'
            : requireExecutable(`a command of service ${service.name}`, command[0] ?? '', env['PATH']),
        );
        return `stop: ${found[0]}, start: ${found[1]}; not run`;
      }),
    ),
  );
}
