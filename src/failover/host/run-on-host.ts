import { LifeboatError } from '../../domain/errors.ts';
import { runChild, spawnChild, type Child, type ChildExit } from '../../platform/child-process.ts';
import type { HostProgram, HostVerb } from './host-program.ts';

export interface HostRequest {
  /** For messages: `stop a`. */
  readonly doing: string;
  readonly host: HostProgram;
  readonly verb: HostVerb;
  readonly words?: readonly string[];
  readonly signal: AbortSignal;
}

const MAX_OUTPUT_BYTES = 1_048_576;
const SAID_CHARACTERS = 400;
const SAFE_WORD = /^[A-Za-z0-9._:/][A-Za-z0-9._:/-]*$/;

/** What it printed. @throws LifeboatError FAILOVER_COMMAND_FAILED, TOOL_MISSING and the abort reason */
export async function runOnHost(request: HostRequest): Promise<string> {
  const { timeoutMs } = request.host;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([request.signal, timeout]);
  const child = { ...programOf(request), signal, maxOutputBytes: MAX_OUTPUT_BYTES };
  const { stdout, exit } = await runChild(child).catch((error: unknown) => {
    if (timeout.aborted && !request.signal.aborted) throw failed(request, `not done after ${timeoutMs} ms`, error);
    throw error;
  });
  if (exit.code !== 0) throw failed(request, howItEnded(exit));
  return stdout;
}

/** The program as a child whose output is read as it comes; the caller ends it. */
export function startOnHost(request: HostRequest): Child {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(request.host.timeoutMs)]);
  return spawnChild({ ...programOf(request), signal });
}

/** For messages: how it ended, and the last that it said. */
export function howItEnded({ code, signal, stderrTail }: ChildExit): string {
  // Tools of PostgreSQL say in the line before the last what was the matter.
  const said = stderrTail.split('\n').slice(-2).join('; ').slice(-SAID_CHARACTERS);
  const how = code === null ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}`;
  return said === '' ? how : `${how}: ${said}`;
}

function programOf(request: HostRequest): { name: string; command: string; args: readonly string[] } {
  const [command = '', ...first] = request.host.command;
  const words = request.words ?? [];
  const odd = words.find((word) => !SAFE_WORD.test(word));
  if (odd !== undefined) throw failed(request, `"${odd}" is no word that is handed to a host`);
  return { name: `host program to ${request.doing}`, command, args: [...first, request.verb, ...words] };
}

function failed({ doing }: HostRequest, how: string, cause?: unknown): LifeboatError {
  return new LifeboatError('FAILOVER_COMMAND_FAILED', `${doing}: ${how}`, { cause });
}
