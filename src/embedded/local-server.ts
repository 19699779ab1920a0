import { setTimeout as delay } from 'node:timers/promises';
import { LifeboatError } from '../domain/errors.ts';
import { spawnChild, type Child, type ChildRequest } from '../platform/child-process.ts';

/** What it takes to run a server in the foreground and to know that it answers. */
export interface ServerCommand extends Omit<ChildRequest, 'signal' | 'stdin'> {
  /** Resolves true when the server takes work; rejections count as "not yet". */
  readonly isReady: () => Promise<boolean>;
}

/** First starts on a loaded machine take seconds; a server that needs longer than this is broken. */
const READY_LIMIT_MS = 60_000;
const READY_POLL_MS = 25;

/** Starts a server that dies with this process, and waits until it answers. Throws SERVER_NOT_STARTED. */
export async function startGuarded(command: ServerCommand): Promise<Child> {
  const child = spawnChild({ ...command, signal: new AbortController().signal });
  child.stdout.resume();
  let ended = false;
  void child.exited.then(() => (ended = true));
  const isReady = await waitUntilReady(command.isReady, () => ended);
  if (isReady) return child;
  const exit = await child.end();
  throw new LifeboatError('SERVER_NOT_STARTED', `start ${command.name}: ${exit.stderrTail || 'no answer'}`, {
    details: { exitCode: exit.code, signal: exit.signal },
  });
}

/** Polls until ready; false when the server has ended or the limit is over. */
export async function waitUntilReady(isReady: () => Promise<boolean>, hasEnded: () => boolean): Promise<boolean> {
  const deadline = Date.now() + READY_LIMIT_MS;
  while (Date.now() < deadline && !hasEnded()) {
    // A refused connection is what a server that is still starting looks like.
    if (await isReady().catch(() => false)) return !hasEnded();
    await delay(READY_POLL_MS);
  }
  return false;
}
