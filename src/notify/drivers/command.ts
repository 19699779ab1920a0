import { toLifeboatError } from '../../domain/errors.ts';
import { runProgram } from '../../services/run-program.ts';
import { notTold } from '../not-told.ts';
import type { CommandSettings, Driver } from '../notify.ts';

/** Runs a program with the message as JSON on its standard input; exit code 0 means that it was taken. Nothing of the message is in its arguments. */
export function createCommandChannel(name: string, { run, timeoutMs }: CommandSettings): Driver {
  return async (message, signal) => {
    const input = `${JSON.stringify({ event: 'recovery', ...message })}\n`;
    const request = { name: `channel ${name}`, command: run, timeoutMs, input, signal };
    const ended = await runProgram(request).catch((error: unknown) => {
      signal.throwIfAborted();
      throw notTold(name, toLifeboatError(error).message);
    });
    if (ended.end === 'failed') throw notTold(name, ended.said);
    if (ended.end === 'timed-out') throw notTold(name, `not done after ${timeoutMs} ms`);
  };
}
