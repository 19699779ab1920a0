import { connect } from 'node:net';
import type { ServerCommand } from './local-server.ts';

/** A Redis on this machine, listening on 127.0.0.1. */
export interface RedisInstance {
  readonly serverPath: string;
  /** Working folder: dump.rdb and the append-only files. */
  readonly folder: string;
  readonly port: number;
  /** A 0600 file: passwords belong here, argv is open to everybody on the host. */
  readonly configFile: string;
  readonly args?: readonly string[];
}

/** The command that runs it; ready when it answers PING (an error such as NOAUTH is an answer, LOADING is not). */
export function redisCommand(instance: RedisInstance): ServerCommand {
  return {
    name: 'redis-server',
    command: instance.serverPath,
    args: [
      instance.configFile,
      '--port',
      String(instance.port),
      '--bind',
      '127.0.0.1',
      '--dir',
      instance.folder,
      ...(instance.args ?? []),
    ],
    cwd: instance.folder,
    isReady: async () => {
      const reply = await ping(instance.port);
      return reply.startsWith('+PONG') || reply.startsWith('-NOAUTH') || reply.startsWith('-WRONGPASS');
    },
  };
}

const PING_LIMIT_MS = 2_000;

async function ping(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write('PING\r\n'));
    socket.setTimeout(PING_LIMIT_MS, () => socket.destroy(new Error('no answer to PING')));
    socket.once('error', reject);
    socket.once('data', (data) => {
      resolve(data.toString('latin1'));
      socket.destroy();
    });
    socket.once('close', () => resolve(''));
  });
}
