import { spawn } from 'node:child_process';
import { mkdir, open, rename, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LifeboatError } from '../domain/errors.ts';
import { inheritedEnvironment } from '../platform/environment.ts';
import { requireExecutable } from '../platform/executable.ts';
import { endProcessGroup, identifyProcess, isRunning, type ProcessIdentity } from '../platform/process-identity.ts';
import { waitUntilReady, type ServerCommand } from './local-server.ts';

/** One previous log is kept beside the current one, so two of these are the most a service takes. */
const LOG_LIMIT_BYTES = 10 * 1_024 * 1_024;
const LOG_TAIL_BYTES = 2_048;
const IDENTITY_LIMIT_MS = 2_000;

/**
 * Starts a server that outlives this process, with both outputs appended to `logFile`, and waits until it answers.
 * `isReady` may look at what the server wrote since its start: it gets that part of the log.
 * Throws TOOL_MISSING, PROCESS_NOT_STARTED, and SERVER_NOT_STARTED after ending what was started.
 */
export async function startInBackground(
  command: Omit<ServerCommand, 'isReady'> & { readonly isReady: (log: () => Promise<string>) => Promise<boolean> },
  options: {
    readonly logFile: string;
    /** Called before the wait, so that a crash while it starts leaves nothing that nobody knows of. */
    readonly onLaunched: (identity: ProcessIdentity) => Promise<void>;
  },
): Promise<void> {
  const { logFile } = options;
  const { log, startBytes } = await openLog(logFile);
  const identity = await launch(command, log.fd).finally(() => void log.close());
  await options.onLaunched(identity);
  const readLog = async (): Promise<string> => readFrom(logFile, startBytes);
  let running = true;
  const isReady = await waitUntilReady(
    async () => {
      running = await isRunning(identity);
      return command.isReady(readLog);
    },
    () => !running,
  );
  if (isReady) return;
  await endProcessGroup(identity, { signal: command.endSignal ?? 'SIGTERM', graceMs: command.graceMs ?? 0 });
  const tail = (await readLog()).slice(-LOG_TAIL_BYTES).trim();
  throw new LifeboatError('SERVER_NOT_STARTED', `start ${command.name}: ${tail || 'no answer'}`, {
    hint: `look at ${logFile}`,
  });
}

async function launch(command: Omit<ServerCommand, 'isReady'>, output: number): Promise<ProcessIdentity> {
  const env = { ...inheritedEnvironment(), ...command.env };
  const program = requireExecutable(command.name, command.command, env['PATH']);
  const child = spawn(program, [...command.args], {
    stdio: ['ignore', output, output],
    detached: true,
    env,
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    ...(command.user === undefined ? {} : { uid: command.user.uid, gid: command.user.gid }),
  });
  // A refused start reports through this event as well; it is thrown below, where the caller can act on it.
  child.on('error', () => undefined);
  child.unref();
  if (child.pid === undefined)
    throw new LifeboatError('PROCESS_NOT_STARTED', `start ${command.name}: ${program}: refused`);
  const deadline = Date.now() + IDENTITY_LIMIT_MS;
  for (;;) {
    const identity = await identifyProcess(child.pid);
    if (identity !== undefined) return identity;
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      // It ended at once; an identity that nothing has makes the caller report what it wrote.
      return { pid: child.pid, startedAt: '' };
    }
    await delay(1);
  }
}

async function openLog(logFile: string): Promise<{ log: Awaited<ReturnType<typeof open>>; startBytes: number }> {
  await mkdir(dirname(logFile), { recursive: true, mode: 0o700 });
  const sizeBytes = await stat(logFile).then(
    ({ size }) => size,
    () => 0,
  );
  if (sizeBytes > LOG_LIMIT_BYTES) await rename(logFile, `${logFile}.1`);
  const log = await open(logFile, 'a', 0o600);
  await log.write(`--- ${new Date().toISOString()} start ${basename(logFile, '.log')}\n`);
  return { log, startBytes: (await log.stat()).size };
}

async function readFrom(file: string, startBytes: number): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const length = Math.max(0, (await handle.stat()).size - startBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, startBytes);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await handle.close();
  }
}
