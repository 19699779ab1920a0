import { createServer } from 'node:net';
import { withLock } from './lock.ts';

/** A TCP port of this host that was free a moment ago; whoever binds it must still expect to lose the race. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  return listenBriefly(host, 0);
}

/** The first port from `wanted` upwards that is free now; gives up after `tries` and takes any free one. */
export async function freePortNear(
  wanted: number,
  options: { readonly host?: string; readonly tries?: number } = {},
): Promise<number> {
  const host = options.host ?? '127.0.0.1';
  for (let port = wanted; port < wanted + (options.tries ?? 20); port += 1) {
    if (await isPortFree(port, host)) return port;
  }
  return freePort(host);
}

export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return listenBriefly(host, port).then(
    () => true,
    () => false,
  );
}

/**
 * Runs `work`, which looks for free ports and starts servers on them, while no other Lifeboat process of this user does:
 * two stacks that start at once would both find the usual port free.
 */
export async function withPorts<T>(work: () => Promise<T>): Promise<T> {
  return withLock('/lifeboat/ports', work);
}

async function listenBriefly(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : port));
    });
  });
}
