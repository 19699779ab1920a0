import { createServer, isIP, type Server, type Socket } from 'node:net';
import { LifeboatError } from '../../domain/errors.ts';
import { abortError } from '../connect.ts';
import { type Offer, ReplicaSession } from './replica-session.ts';

/** A target tries to reach its master once a second; when it has not come after this time, it cannot. */
const CONNECT_TIMEOUT_MS = 10_000;

export interface MasterAgent {
  readonly port: number;
  /** Resolves when the target has connected and asked; undefined when it did not come in time. */
  replica(): Promise<ReplicaSession | undefined>;
  close(): void;
}

export interface AgentRequest {
  /** Address to listen on, if it is ours; every address when it is a name or belongs to somebody else's router. */
  readonly address: string;
  /** Replid of the target: what it must name to be served. */
  readonly targetReplid: string;
  readonly offer: Offer;
  readonly signal: AbortSignal;
}

/** A master that offers one snapshot to one replica. It listens on a free port and closes with the abort. */
export async function startMasterAgent(request: AgentRequest): Promise<MasterAgent> {
  const { signal, offer, targetReplid } = request;
  const sockets = new Set<Socket>();
  const sessions = new Set<ReplicaSession>();
  const accepted = new Deferred<ReplicaSession | undefined>();

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const session = new ReplicaSession(socket, offer, (replid) => replid === targetReplid);
    sessions.add(session);
    void session.authenticated().then((isTarget) => {
      if (!isTarget) return false;
      // The first one that proves to be the target is the only one; nothing else is accepted from then on.
      server.close();
      accepted.resolve(session);
      return true;
    });
  });
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  const onAbort = (): void => {
    for (const session of sessions) session.fail(abortError(signal, 'restore by replication'));
    accepted.resolve(undefined);
    close();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  server.once('close', () => signal.removeEventListener('abort', onAbort));
  const port = await listen(server, request.address);
  return {
    port,
    replica: async () => {
      const timer = setTimeout(() => accepted.resolve(undefined), CONNECT_TIMEOUT_MS);
      const session = await accepted.promise;
      clearTimeout(timer);
      if (signal.aborted) throw abortError(signal, 'restore by replication');
      return session;
    },
    close,
  };
}

/** A promise that is settled from outside; only the first time counts. */
class Deferred<T> {
  resolve!: (value: T) => void;
  readonly promise = new Promise<T>((resolve) => {
    this.resolve = resolve;
  });
}

async function listen(server: Server, address: string): Promise<number> {
  const host = address.replace(/^::ffff:(?=\d+\.)/i, '');
  const bound = isIP(host) !== 0 && (await tryListen(server, host));
  // Behind address translation the target reaches us under an address that no interface here has.
  if (!bound && !(await tryListen(server, undefined))) {
    throw new LifeboatError('REDIS_IMPORT_IMPOSSIBLE', 'restore by replication: no port to listen on');
  }
  const bindingOf = server.address();
  if (bindingOf === null || typeof bindingOf === 'string')
    throw new LifeboatError('INTERNAL', 'listening without a port');
  return bindingOf.port;
}

function tryListen(server: Server, host: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const onError = (): void => resolve(false);
    server.once('error', onError);
    server.listen({ port: 0, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', onError);
      resolve(true);
    });
  });
}
