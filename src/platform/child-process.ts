import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { types } from 'node:util';
import { LifeboatError } from '../domain/errors.ts';
import { inheritedEnvironment } from './environment.ts';
import { requireExecutable } from './executable.ts';
import { signalGroup } from './process-identity.ts';

/** A program to run. It gets a process group of its own, which ends as a whole. */
export interface ChildRequest {
  /** The program as people know it; used in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to a minimal inherited environment (see environment.ts); the place for secrets, never `args`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Abort ends the group: `endSignal` first, SIGKILL after `graceMs`. */
  readonly signal: AbortSignal;
  readonly stdin?: 'ignore' | 'pipe';
  readonly graceMs?: number;
  /** The polite way to end it; SIGTERM by default. PostgreSQL servers want SIGINT (fast shutdown). */
  readonly endSignal?: 'SIGTERM' | 'SIGINT' | 'SIGQUIT';
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** Last 2 KiB of stderr. */
  readonly stderrTail: string;
}

export interface Child {
  readonly pid: number;
  readonly stdin: Writable | null;
  /** Must be read or resumed: a full pipe stops the child. Nothing is lost when reading starts late. */
  readonly stdout: Readable;
  /** Settles when the process has exited and the rest of its group was sent SIGKILL. Never rejects. */
  readonly exited: Promise<ChildExit>;
  /** The request's signal, so that readers can tell an abort from a failure. */
  readonly signal: AbortSignal;
  /** Sends a signal to the group; one that has ended already is fine. */
  kill(signal?: NodeJS.Signals): void;
  /** Ends the group (politely, then SIGKILL after the grace period) and waits for it. */
  end(): Promise<ChildExit>;
}

const DEFAULT_GRACE_MS = 5_000;
const STDERR_TAIL_BYTES = 2_048;
const STDOUT_BUFFER_BYTES = 256 * 1_024;
/** How long `exited` waits for the end of stderr after the exit; only a process that left the group can hold it open. */
const STDERR_DRAIN_MS = 500;
const DEFAULT_MAX_OUTPUT_BYTES = 16 * 1_024 * 1_024;

/**
 * Runs "$@" under a watcher in the same process group. The watcher reads from descriptor 3, a pipe whose other end only
 * this process holds: when this process dies, by kill -9 too, the read ends and the watcher ends the group. `exec` keeps the
 * pid, the exit code and all signals those of the program. The watcher ignores polite signals, or a group signal
 * would leave the program unwatched during its grace period; SIGKILL on the group ends both.
 */
const WATCHED = `
(trap '' TERM INT QUIT HUP; read -r _ <&3; kill -s "$0" -- -$$; sleep 1; kill -s KILL -- -$$) </dev/null >/dev/null 2>&1 &
exec "$@" 3<&-`;

/**
 * Starts a program that dies with this process.
 * Throws TOOL_MISSING, PROCESS_NOT_STARTED, and the signal's reason when it is aborted already.
 */
export function spawnChild(request: ChildRequest): Child {
  request.signal.throwIfAborted();
  const env = { ...inheritedEnvironment(), ...request.env };
  const program = requireExecutable(request.name, request.command, env['PATH']);
  const endSignal = request.endSignal ?? 'SIGTERM';
  const stdio: StdioOptions = [request.stdin ?? 'ignore', 'pipe', 'pipe', 'pipe'];
  const { cwd, user } = request;
  const started = spawn('/bin/sh', ['-c', WATCHED, endSignal.slice(3), program, ...request.args], {
    stdio,
    env,
    detached: true,
    ...(cwd === undefined ? {} : { cwd }),
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  // A refused start reports through this event as well; it is thrown below, where the caller can act on it.
  started.on('error', () => undefined);
  if (started.pid === undefined) {
    throw new LifeboatError('PROCESS_NOT_STARTED', `start ${request.name}: ${program}: refused by the system`);
  }
  return superviseChild(started, started.pid, { ...request, endSignal });
}

function superviseChild(
  started: ChildProcess,
  pid: number,
  request: ChildRequest & { endSignal: NodeJS.Signals },
): Child {
  let running = true;
  const kill = (signal: NodeJS.Signals = request.endSignal): void => {
    if (running) signalGroup(pid, signal);
  };
  // Without a pipe attached at once, Node throws away output that nobody has begun to read when the process exits.
  const stdout = new PassThrough({ highWaterMark: STDOUT_BUFFER_BYTES });
  started.stdout?.on('error', (error) => stdout.destroy(error)).pipe(stdout);
  // Readers get the error by reading; without any reader there is nobody to tell but `exited`.
  stdout.on('error', () => undefined);
  // A program that exits early breaks the pipe; its exit status tells more than EPIPE does.
  started.stdin?.on('error', () => undefined);

  const exited = awaitExit(started, () => {
    running = false;
    // The watcher is still a member, so the id of the group cannot belong to anybody else yet.
    signalGroup(pid, 'SIGKILL');
  });
  const end = async (): Promise<ChildExit> => {
    kill();
    const timer = setTimeout(kill, request.graceMs ?? DEFAULT_GRACE_MS, 'SIGKILL');
    return exited.finally(() => clearTimeout(timer));
  };
  const onAbort = (): void => {
    // A process that left the group may hold the pipe open; an abort must not wait for it.
    void end().then(() => stdout.destroy(abortError(request.signal)));
  };
  request.signal.addEventListener('abort', onAbort, { once: true });
  stdout.once('close', () => {
    started.stdout?.destroy();
    request.signal.removeEventListener('abort', onAbort);
  });
  return { pid, stdin: started.stdin, stdout, exited, signal: request.signal, kill, end };
}

function abortError(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return types.isNativeError(reason) ? reason : new Error(String(reason));
}

async function awaitExit(started: ChildProcess, onExit: () => void): Promise<ChildExit> {
  let tail = Buffer.alloc(0);
  started.stderr?.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-STDERR_TAIL_BYTES);
  });
  const drained = new Promise((resolve) => started.stderr?.once('close', resolve));
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    started.once('exit', (code, signal) => {
      onExit();
      started.stdio[3]?.destroy();
      resolve([code, signal]);
    });
  });
  const patience = setTimeout(() => started.stderr?.destroy(), STDERR_DRAIN_MS);
  await drained;
  clearTimeout(patience);
  return { code, signal, stderrTail: tail.toString('utf8').trim() };
}

/**
 * The child's stdout, which ends only after the child has exited with 0: a producer that was killed never looks like
 * a short success. Rejects with `toError(exit)`, or with the abort reason. A reader that leaves early ends the child.
 */
export async function* readGated(
  child: Child,
  toError: (exit: ChildExit) => LifeboatError,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    const stdout: AsyncIterable<Uint8Array> = child.stdout;
    yield* stdout;
    const exit = await child.exited;
    child.signal.throwIfAborted();
    if (exit.code !== 0) throw toError(exit);
  } finally {
    await child.end();
  }
}

/**
 * Runs a short program to its end; `exit` says how it went, an exit code other than 0 does not throw.
 * Throws what spawnChild throws, PROCESS_OUTPUT_TOO_LARGE beyond `maxOutputBytes` (16 MiB), and the abort reason.
 */
export async function runChild(
  request: Omit<ChildRequest, 'stdin'> & { readonly input?: string; readonly maxOutputBytes?: number },
): Promise<{ stdout: string; exit: ChildExit }> {
  const child = spawnChild({ ...request, stdin: request.input === undefined ? 'ignore' : 'pipe' });
  try {
    child.stdin?.end(request.input);
    const stdout = await readText(child.stdout, request.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES, request.name);
    const exit = await child.exited;
    request.signal.throwIfAborted();
    return { stdout, exit };
  } finally {
    await child.end();
  }
}

async function readText(stream: AsyncIterable<Uint8Array>, maxBytes: number, name: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new LifeboatError('PROCESS_OUTPUT_TOO_LARGE', `run ${name}: more than ${maxBytes} bytes of output`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
