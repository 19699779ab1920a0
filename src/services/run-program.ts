import { runChild, type ChildExit } from '../platform/child-process.ts';
import type { ServiceCommand } from './services.ts';

/** Output of a command that is kept in memory at most; more ends the command. */
const MAX_OUTPUT_BYTES = 1_048_576;
const LAST_LINE_CHARACTERS = 200;

export interface ProgramRequest {
  /** As people know it; used in messages. */
  readonly name: string;
  readonly command: ServiceCommand;
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads on its standard input; without it there is none. */
  readonly input?: string;
  readonly signal: AbortSignal;
}

export type ProgramEnd =
  | {
      readonly end: 'done';
      readonly durationMs: number;
      /** Of its output, where it gave one. */ readonly lastLine: string;
    }
  | {
      readonly end: 'failed';
      readonly exitCode: number;
      /** How it ended, and what it said last. */ readonly said: string;
    }
  | { readonly end: 'timed-out'; readonly cause: unknown };

/** Runs a configured command to its end. Rejects with TOOL_MISSING, PROCESS_* and the reason of an abort. */
export async function runProgram(program: ProgramRequest): Promise<ProgramEnd> {
  const { name, command, timeoutMs, env, input, signal } = program;
  const startedAt = performance.now();
  const timeout = AbortSignal.timeout(timeoutMs);
  const given = { ...(env ? { env } : {}), ...(input === undefined ? {} : { input }) };
  const request = { name, ...toProgram(command), maxOutputBytes: MAX_OUTPUT_BYTES, ...given };
  try {
    const { stdout, exit } = await runChild({ ...request, signal: AbortSignal.any([signal, timeout]) });
    if (exit.code !== 0) return { end: 'failed', exitCode: exit.code ?? -1, said: sayHow(exit) };
    const lastLine = lastLineOf(stdout.trimEnd());
    return { end: 'done', durationMs: Math.round(performance.now() - startedAt), lastLine };
  } catch (error) {
    if (timeout.aborted && !signal.aborted) return { end: 'timed-out', cause: error };
    throw error;
  }
}

function toProgram(command: ServiceCommand): { readonly command: string; readonly args: readonly string[] } {
  if (typeof command === 'string') return { command: '/bin/sh', args: ['-c', command] };
  const [program = '', ...args] = command;
  return { command: program, args };
}

function sayHow({ code, signal, stderrTail }: ChildExit): string {
  const how = code === null ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}`;
  const said = lastLineOf(stderrTail);
  return said === '' ? how : `${how}: ${said}`;
}

const lastLineOf = (text: string): string => text.split('\n').at(-1)?.slice(0, LAST_LINE_CHARACTERS) ?? '';
