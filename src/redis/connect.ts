import { readFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { LifeboatError } from '../domain/errors.ts';
import type { RedisTarget } from './redis.ts';

/** How long a server may take to accept a connection and finish the TLS handshake. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Where a target is, for messages: never with user or password. */
export function nameOf(target: RedisTarget): string {
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return `${host}:${target.port}`;
}

/** What an aborted operation rejects with: the reason when it is one of our errors. */
export function abortError(signal: AbortSignal, doing: string): LifeboatError {
  if (signal.reason instanceof LifeboatError) return signal.reason;
  return new LifeboatError('OPERATION_CANCELLED', `${doing}: cancelled`, { cause: signal.reason });
}

/**
 * A connected TCP or TLS socket, no byte exchanged yet. An abort destroys it, now and later.
 * Rejects with REDIS_UNREACHABLE, REDIS_TLS_FAILED or the reason of the abort.
 */
export async function connectSocket(target: RedisTarget, signal?: AbortSignal): Promise<Socket> {
  const where = nameOf(target);
  if (signal?.aborted) throw abortError(signal, `connect to redis ${where}`);
  const secure = target.tls === undefined ? undefined : await tlsOptions(target);
  const socket = secure === undefined ? connectTcp({ host: target.host, port: target.port }) : connectTls(secure);
  const destroy = (): void => void socket.destroy();
  signal?.addEventListener('abort', destroy, { once: true });
  socket.once('close', () => signal?.removeEventListener('abort', destroy));
  try {
    await connected(socket, secure === undefined ? 'connect' : 'secureConnect');
  } catch (error) {
    socket.destroy();
    if (signal?.aborted) throw abortError(signal, `connect to redis ${where}`);
    throw connectError(error, where, secure !== undefined);
  }
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 30_000);
  return socket;
}

function connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new ConnectTimeout()), CONNECT_TIMEOUT_MS);
    const settle = (done: () => void): void => {
      clearTimeout(timer);
      socket.off('error', onError);
      socket.off('close', onClose);
      socket.off(event, onConnect);
      done();
    };
    const onError = (error: Error): void => settle(() => reject(error));
    const onClose = (): void => settle(() => reject(new Error('closed while connecting')));
    const onConnect = (): void => settle(resolve);
    socket.once('error', onError);
    socket.once('close', onClose);
    socket.once(event, onConnect);
  });
}

class ConnectTimeout extends Error {
  override readonly name = 'ConnectTimeout';
  override readonly message = `no connection within ${CONNECT_TIMEOUT_MS / 1000} s`;
}

async function tlsOptions(target: RedisTarget): Promise<ConnectionOptions> {
  const tls = target.tls ?? {};
  const [ca, cert, key] = await Promise.all([tls.caPath, tls.certPath, tls.keyPath].map(readTlsFile));
  const isAddress = /^[\d.]+$|:/.test(target.host);
  const servername = tls.servername ?? (isAddress ? undefined : target.host);
  return {
    host: target.host,
    port: target.port,
    rejectUnauthorized: tls.insecure !== true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
  };
}

async function readTlsFile(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  return await readFile(path).catch((cause: unknown) => {
    throw new LifeboatError('REDIS_TLS_FAILED', `read tls file ${path}: ${messageOf(cause)}`, { cause });
  });
}

/** Codes of the network itself; any other failure of a TLS connect is the handshake's. */
const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EACCES',
  'EADDRNOTAVAIL',
  'EMFILE',
]);

function connectError(cause: unknown, where: string, secure: boolean): LifeboatError {
  const network = cause instanceof ConnectTimeout || NETWORK_CODES.has(codeOf(cause)) || !secure;
  const code = network ? 'REDIS_UNREACHABLE' : 'REDIS_TLS_FAILED';
  return new LifeboatError(code, `connect to redis ${where}: ${messageOf(cause)}`, { cause });
}

/** `code` of a Node error; an attempt at several addresses carries it in its first error. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
