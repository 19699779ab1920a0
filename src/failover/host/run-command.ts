import { LifeboatError } from '../../domain/errors.ts';
import { runChild, spawnChild, type Child, type ChildExit } from '../../platform/child-process.ts';
import type { HostCommand } from './host-commands.ts';

export interface HostRequest {
  /** For messages: `stop a`. */
  readonly doing: string;
  readonly command: HostCommand;
  /** What stands for `{name}` in the words of the command. */
  readonly facts?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const MAX_OUTPUT_BYTES = 1_048_576;
const SAID_CHARACTERS = 200;

/** What it printed. @throws LifeboatError FAILOVER_COMMAND_FAILED, TOOL_MISSING and the abort reason */
export async function runOnHost(request: HostRequest): Promise<string> {
  const timeout = AbortSignal.timeout(request.timeoutMs);
  const signal = AbortSignal.any([request.signal, timeout]);
  const child = { ...programOf(request), signal, maxOutputBytes: MAX_OUTPUT_BYTES };
  const { stdout, exit } = await runChild(child).catch((error: unknown) => {
    if (timeout.aborted && !request.signal.aborted)
      throw failed(request, `not done after ${request.timeoutMs} ms`, error);
    throw error;
  });
  if (exit.code !== 0) throw failed(request, howItEnded(exit));
  return stdout;
}

/** The command as a child whose output is read as it comes; the caller ends it. */
export function startOnHost(request: HostRequest): Child {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(request.timeoutMs)]);
  return spawnChild({ ...programOf(request), signal });
}

/** For messages: how a command ended, and the last that it said. */
export function howItEnded({ code, signal, stderrTail }: ChildExit): string {
  const said = stderrTail.split('\n').at(-1)?.slice(0, SAID_CHARACTERS) ?? '';
  const how = code === null ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}`;
  return said === '' ? how : `${how}: ${said}`;
}

function programOf({ doing, command, facts = {} }: HostRequest): { name: string; command: string; args: string[] } {
  const [program = '', ...args] = command.map((word) =>
    word.replaceAll(/\{(\w+)\}/g, (whole, name: string) => facts[name] ?? whole),
  );
  return { name: `command to ${doing}`, command: program, args };
}

function failed({ doing }: HostRequest, how: string, cause?: unknown): LifeboatError {
  return new LifeboatError('FAILOVER_COMMAND_FAILED', `${doing}: ${how}`, { cause });
}
