import { LifeboatError } from '../../domain/errors.ts';
import type { RedisTarget } from '../redis.ts';
import { replyError } from '../reply-error.ts';
import { encodeCommands, RespError } from '../resp.ts';
import { openRedisSocket, type RedisSocket } from '../socket.ts';
import { readBulk } from './bulk.ts';
import { createReplicationInput } from './input.ts';

/** A snapshot that a server is about to send. */
export interface FullSync {
  /** 40 hex characters: the history that `offset` counts in. */
  readonly replid: string;
  /** The snapshot holds everything up to here. */
  readonly offset: number;
  /** When the server fixed the snapshot, by our clock. */
  readonly snapshotAt: Date;
  /** The RDB file; ends clean only when it is whole. To be read once; a chunk is empty once the next was asked for. */
  readonly rdb: AsyncIterable<Buffer>;
  close(): void;
}

/**
 * Asks a server for a snapshot the way a replica does. One shot: the command stream behind the snapshot is not wanted,
 * which Redis 7 is told (`rdb-only`), so that it buffers no writes for us.
 * REDIS_REPLICATION_REFUSED when the server or the ACL does not let us; REDIS_NOT_READY while it loads or lacks its master.
 */
export async function openFullSync(target: RedisTarget, signal: AbortSignal): Promise<FullSync> {
  const redis = await openRedisSocket(target, { signal });
  try {
    await introduce(redis);
    // An error reply is the answer of a server before 7.0, which then sends its command stream too; we leave before it.
    await redis.pipeline([['REPLCONF', 'rdb-only', 1]]);
    return await synchronize(redis, signal);
  } catch (error) {
    redis.close();
    throw error;
  }
}

/** Says to a server that we are a replica, and what we understand. */
export async function introduce(redis: RedisSocket): Promise<void> {
  const [pong, port, capabilities] = await redis.pipeline([
    ['PING'],
    // Port 0: there is nothing that could be reached here.
    ['REPLCONF', 'listening-port', 0],
    ['REPLCONF', 'capa', 'eof', 'capa', 'psync2'],
  ]);
  // A user without +ping, and a replica that lost its master, refuse PING and may replicate all the same.
  if (pong instanceof RespError && pong.code === 'NOAUTH') throw replyError(pong, `ping at redis ${redis.name}`);
  const refusal = [port, capabilities].find((reply) => reply instanceof RespError);
  if (refusal instanceof RespError) throw refused(refusal, redis.name);
}

async function synchronize(redis: RedisSocket, signal: AbortSignal): Promise<FullSync> {
  const socket = redis.detach();
  const input = createReplicationInput(socket, redis.name, signal);
  socket.write(Buffer.concat(encodeCommands([['PSYNC', '?', -1]])));
  const answer = await input.line();
  if (answer.startsWith('-')) throw refused(new RespError(answer.slice(1)), redis.name);
  const match = /^\+FULLRESYNC ([0-9a-f]{40}) (\d+)$/.exec(answer);
  if (match === null) {
    throw new LifeboatError('REDIS_PROTOCOL_ERROR', `replicate from redis ${redis.name}: unexpected answer to psync`);
  }
  return {
    replid: match[1]!,
    offset: Number(match[2]),
    snapshotAt: new Date(),
    rdb: readBulk(input, redis.name),
    close: () => void socket.destroy(),
  };
}

/** A server that loads or waits for its master says so in a code; every other refusal is for good. */
export function refused(reply: RespError, name: string): LifeboatError {
  const error = replyError(reply, `replicate from redis ${name}`);
  const known = error.code === 'REDIS_NOT_READY' || error.code === 'REDIS_AUTH_FAILED';
  return known ? error : new LifeboatError('REDIS_REPLICATION_REFUSED', error.message, { details: error.details });
}
