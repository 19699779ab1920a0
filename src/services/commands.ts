import { LifeboatError } from '../domain/errors.ts';
import { runProgram } from './run-program.ts';
import type { ServiceCommand } from './services.ts';

/** A program that a recovery plan may run by its name. */
export interface CommandDefinition {
  readonly name: string;
  readonly run: ServiceCommand;
  readonly timeoutMs: number;
}

/** The configured commands. Rejects with COMMAND_FAILED, COMMAND_TIMED_OUT, COMMAND_UNKNOWN, TOOL_MISSING. */
export interface Commands {
  readonly names: readonly string[];
  run(
    name: string,
    context: { readonly env: Readonly<Record<string, string>>; readonly signal: AbortSignal },
  ): Promise<{ readonly durationMs: number; readonly lastLine: string }>;
}

export function createCommands(definitions: readonly CommandDefinition[]): Commands {
  const names = definitions.map(({ name }) => name);
  return {
    names,
    async run(name, { env, signal }) {
      const found = definitions.find((definition) => definition.name === name);
      if (found === undefined) {
        throw new LifeboatError('COMMAND_UNKNOWN', `command ${name}: not configured`, {
          details: { command: name, known: names },
        });
      }
      const { timeoutMs } = found;
      const ended = await runProgram({ name: `command ${name}`, command: found.run, timeoutMs, env, signal });
      if (ended.end === 'done') return { durationMs: ended.durationMs, lastLine: ended.lastLine };
      if (ended.end === 'failed') {
        const details = { command: name, exitCode: ended.exitCode };
        throw new LifeboatError('COMMAND_FAILED', `command ${name}: ${ended.said}`, { details });
      }
      const details = { command: name, timeoutMs };
      const message = `command ${name}: not done after ${timeoutMs} ms`;
      throw new LifeboatError('COMMAND_TIMED_OUT', message, { cause: ended.cause, details });
    },
  };
}
