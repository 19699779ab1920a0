import type { Socket } from 'node:net';

/** Ends both sockets of a proxied connection when one of them ends; keeps them in `open` until then. */
export function endTogether(open: Set<Socket>, client: Socket, upstream: Socket): void {
  for (const socket of [client, upstream]) {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open.delete(socket);
      client.destroy();
      upstream.destroy();
    });
  }
}
