import { LifeboatError } from '../domain/errors.ts';
import { runChild } from '../platform/child-process.ts';
import type { ServiceCommand, ServiceDefinition, ServiceOutcome, Services } from './services.ts';

/** Output of a stop or start command that is kept in memory at most; more ends the command. */
const MAX_OUTPUT_BYTES = 1_048_576;
const LAST_LINE_CHARACTERS = 200;

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
  const startedAt = performance.now();
  const timeout = AbortSignal.timeout(service.timeoutMs);
  const { command, args } = toProgram(service[action]);
  const request = {
    name: `${action} command of service ${service.name}`,
    command,
    args,
    maxOutputBytes: MAX_OUTPUT_BYTES,
  };
  const { stdout, exit } = await runChild({ ...request, signal: AbortSignal.any([signal, timeout]) }).catch(
    (error: unknown) => {
      if (timeout.aborted && !signal.aborted) throw timedOut(service, action, error);
      throw error;
    },
  );
  if (exit.code !== 0) throw failed(service, action, exit);
  const lastLine = stdout.trimEnd().split('\n').at(-1)?.slice(0, LAST_LINE_CHARACTERS) ?? '';
  return { name: service.name, action, durationMs: Math.round(performance.now() - startedAt), lastLine };
}

function toProgram(command: ServiceCommand): { readonly command: string; readonly args: readonly string[] } {
  if (typeof command === 'string') return { command: '/bin/sh', args: ['-c', command] };
  const [program = '', ...args] = command;
  return { command: program, args };
}

function timedOut(service: ServiceDefinition, action: string, cause: unknown): LifeboatError {
  return new LifeboatError(
    'SERVICE_COMMAND_TIMED_OUT',
    `${action} service ${service.name}: not done after ${service.timeoutMs} ms`,
    {
      cause,
      details: { service: service.name, action, timeoutMs: service.timeoutMs },
    },
  );
}

function failed(
  service: ServiceDefinition,
  action: string,
  exit: { code: number | null; signal: string | null; stderrTail: string },
): LifeboatError {
  const how = exit.code === null ? `ended by ${exit.signal ?? 'a signal'}` : `exit code ${exit.code}`;
  const said = exit.stderrTail.split('\n').at(-1)?.slice(0, LAST_LINE_CHARACTERS) ?? '';
  return new LifeboatError(
    'SERVICE_COMMAND_FAILED',
    `${action} service ${service.name}: ${how}${said === '' ? '' : `: ${said}`}`,
    {
      details: { service: service.name, action, exitCode: exit.code ?? -1 },
    },
  );
}
