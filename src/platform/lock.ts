import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LifeboatError } from '../domain/errors.ts';

const POLL_MS = 100;
/** A first start downloads about 100 MB; whoever waits for it waits that long and no longer. */
const DEFAULT_LIMIT_MS = 10 * 60_000;

/**
 * Runs `work` while no other process of this host runs under the same name (by custom the path of what is guarded).
 * The lock is a listening socket, so the system releases it when its holder dies; nothing stale is left in the way.
 * Throws LOCK_HELD when the holder does not let go within `limitMs`; `onWait` is called once when there is one.
 */
export async function withLock<T>(
  name: string,
  work: () => Promise<T>,
  options: { readonly limitMs?: number; readonly onWait?: () => void } = {},
): Promise<T> {
  const server = await acquire(name, options);
  try {
    return await work();
  } finally {
    await new Promise((closed) => server.close(closed));
  }
}

async function acquire(
  name: string,
  options: { readonly limitMs?: number; readonly onWait?: () => void },
): Promise<Server> {
  const address = lockAddress(name);
  const deadline = Date.now() + (options.limitMs ?? DEFAULT_LIMIT_MS);
  let server = await tryListen(address);
  if (server === undefined) options.onWait?.();
  while (server === undefined) {
    if (Date.now() > deadline)
      throw new LifeboatError('LOCK_HELD', `wait for the lock of ${name}: another process holds it`);
    await delay(POLL_MS);
    server = await tryListen(address);
  }
  return server;
}

/** Linux: an abstract socket, which is no file and ends with its holder. Elsewhere: a socket file. */
function lockAddress(name: string): string {
  const digest = createHash('sha256')
    .update(`${process.getuid?.() ?? 0}:${resolve(name)}`)
    .digest('hex')
    .slice(0, 32);
  return process.platform === 'linux' ? `\0lifeboat-${digest}` : join(tmpdir(), `lifeboat-${digest}.lock`);
}

async function tryListen(address: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  const error = await new Promise<NodeJS.ErrnoException | undefined>((settle) => {
    server.once('error', settle);
    server.listen(address, () => settle(undefined));
  });
  if (error === undefined) return server;
  if (error.code !== 'EADDRINUSE') throw error;
  if (!address.startsWith('\0') && !(await isListening(address))) await rm(address, { force: true });
  return undefined;
}

async function isListening(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
