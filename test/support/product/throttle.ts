/** A TCP relay that can be slow, or cut: makes a stream last as long as a test needs, and break when it wants. */
import { createServer, connect, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface Throttle {
  readonly port: number;
  /** Bytes a second over all connections, both ways or only to the server. Infinity: as fast as it goes. */
  setRate(bytesPerSecond: number, way?: 'both' | 'to-server'): void;
  /** Bytes that were passed on since the last reset. */
  readonly passed: number;
  reset(): void;
  /** Drops all connections, as a network does. */
  cut(): void;
  close(): Promise<void>;
}

const SLICE_MS = 20;

export async function startThrottle(port: number): Promise<Throttle> {
  let rate = Number.POSITIVE_INFINITY;
  let slowed: 'both' | 'to-server' = 'both';
  let passed = 0;
  let dueAt = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const upstream = connect({ host: '127.0.0.1', port });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    }
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.end());
    void relay(client, upstream, 'to-server');
    void relay(upstream, client, 'to-client');
  });

  /** One chunk at a time; a chunk pays with time for its bytes. */
  const relay = async (from: Socket, to: Socket, way: 'to-server' | 'to-client'): Promise<void> => {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        passed += chunk.length;
        if (!to.write(chunk)) await drained(to);
        if (slowed === 'to-server' && way === 'to-client') continue;
        dueAt = Math.max(dueAt, Date.now()) + (chunk.length / rate) * 1_000;
        while (rate !== Number.POSITIVE_INFINITY && dueAt - Date.now() > SLICE_MS)
          await delay(Math.min(dueAt - Date.now(), 100));
      }
    } catch {
      // Cut by one side or the test: the close of the other follows.
    }
  };

  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port: address.port,
    setRate(bytesPerSecond, way = 'both') {
      rate = bytesPerSecond;
      slowed = way;
      dueAt = 0;
    },
    get passed() {
      return passed;
    },
    reset: () => void (passed = 0),
    cut,
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Until there is room again, or nobody to write for. */
async function drained(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    const goOn = (): void => {
      socket.off('drain', goOn).off('close', goOn);
      resolve();
    };
    socket.once('drain', goOn).once('close', goOn);
  });
}
