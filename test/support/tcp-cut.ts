/** A TCP proxy that can end its connections at a chosen byte, or hold bytes back: networks as they are. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { endTogether } from './end-together.ts';

export interface Cut {
  readonly port: number;
  /** Bytes that have come back from the server in all connections. */
  readonly bytesBack: () => number;
  close(): Promise<void>;
}

/** @param after end each connection once so many bytes have come back; `stall` holds the rest back instead */
export async function startCut(
  port: number,
  options: { readonly after: number; readonly stall?: boolean },
): Promise<Cut> {
  const open = new Set<Socket>();
  let total = 0;
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    let back = 0;
    endTogether(open, client, upstream);
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, Math.max(0, options.after - back));
      back += chunk.length;
      total += part.length;
      client.write(part);
      if (back < options.after) return;
      if (options.stall === true) upstream.pause();
      else client.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: portOf(server),
    bytesBack: () => total,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
  return address.port;
}
