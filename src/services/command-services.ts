import { LifeboatError } from '../domain/errors.ts';
import { unreachable } from '../domain/unreachable.ts';
import { runProgram } from './run-program.ts';
import type { ServiceDefinition, ServiceOutcome, Services } from './services.ts';

/** Services that are stopped and started by the commands of the configuration. */
export function createCommandServices(definitions: readonly ServiceDefinition[]): Services {
  const find = (name: string): ServiceDefinition => {
    const found = definitions.find((definition) => definition.name === name);
    if (found) return found;
    throw new LifeboatError('SERVICE_UNKNOWN', `find service ${name}: not configured`, {
      details: { service: name, known: definitions.map((definition) => definition.name) },
    });
  };
  return {
    names: definitions.map((definition) => definition.name),
    stop: async (name, signal) => run(find(name), 'stop', signal),
    start: async (name, signal) => run(find(name), 'start', signal),
  };
}

async function run(service: ServiceDefinition, action: 'stop' | 'start', signal: AbortSignal): Promise<ServiceOutcome> {
  const { name: serviceName, timeoutMs } = service;
  const name = `${action} command of service ${serviceName}`;
  const ended = await runProgram({ name, command: service[action], timeoutMs, signal });
  switch (ended.end) {
    case 'done':
      return { name: serviceName, action, durationMs: ended.durationMs, lastLine: ended.lastLine };
    case 'timed-out':
      throw timedOut(service, action, ended.cause);
    case 'failed':
      throw new LifeboatError('SERVICE_COMMAND_FAILED', `${action} service ${serviceName}: ${ended.said}`, {
        details: { service: serviceName, action, exitCode: ended.exitCode },
      });
  }
  return unreachable(ended);
}

function timedOut({ name, timeoutMs }: ServiceDefinition, action: string, cause: unknown): LifeboatError {
  return new LifeboatError('SERVICE_COMMAND_TIMED_OUT', `${action} service ${name}: not done after ${timeoutMs} ms`, {
    cause,
    details: { service: name, action, timeoutMs },
  });
}
