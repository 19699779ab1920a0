import type { Socket } from 'node:net';
import { LifeboatError } from '../../domain/errors.ts';
import { abortError, messageOf } from '../connect.ts';
import { createSocketBatches } from './batches.ts';

/** A master that prepares a snapshot sends a line feed at least every `repl-ping-replica-period` (10 s by default). */
const SILENCE_MAX_MS = 90_000;
/** `+FULLRESYNC` and error lines are far shorter. */
const LINE_MAX_BYTES = 64 * 1024;
const LINE_FEED = 10;

/** The bytes a master sends us, read at our pace: what is not asked for stays in the socket and holds the server back. */
export interface ReplicationInput {
  /** One line without its end; line feeds in front of it, which only keep the connection alive, are dropped. */
  line(): Promise<string>;
  /**
   * The next bytes, at least one, good until the next call: it empties them. Rejects with REDIS_CONNECTION_LOST when
   * there will be none, REDIS_TIMEOUT, or the abort.
   */
  chunk(): Promise<Buffer>;
}

export function createReplicationInput(socket: Socket, name: string, signal: AbortSignal): ReplicationInput {
  const batches = createSocketBatches(socket);
  const doing = `replicate from redis ${name}`;
  let rest: Buffer = Buffer.alloc(0);
  let silent = false;
  socket.on('timeout', () => {
    silent = true;
    socket.destroy();
  });

  const receive = async (): Promise<Buffer> => {
    // Armed only while we wait: a reader that is slow by itself is no silence of the server.
    socket.setTimeout(SILENCE_MAX_MS);
    let cause: unknown;
    try {
      const batch = await batches.next();
      if (batch !== undefined) return batch;
    } catch (error) {
      cause = error;
    } finally {
      socket.setTimeout(0);
    }
    if (signal.aborted) throw abortError(signal, doing);
    if (silent) throw new LifeboatError('REDIS_TIMEOUT', `${doing}: nothing came for ${SILENCE_MAX_MS / 1000} s`);
    const why = cause === undefined ? 'connection closed by the server' : messageOf(cause);
    throw new LifeboatError('REDIS_CONNECTION_LOST', `${doing}: ${why}`, { cause });
  };

  const chunk = async (): Promise<Buffer> => {
    if (rest.length === 0) return await receive();
    const taken = rest;
    rest = Buffer.alloc(0);
    return taken;
  };

  const line = async (): Promise<string> => {
    for (;;) {
      let start = 0;
      while (rest[start] === LINE_FEED) start += 1;
      const end = rest.indexOf(LINE_FEED, start);
      if (end >= 0) {
        const text = rest.toString('latin1', start, end).replace(/\r$/, '');
        rest = rest.subarray(end + 1);
        return text;
      }
      const begun = Buffer.from(rest.subarray(start));
      const more = await receive();
      rest = begun.length === 0 ? more : Buffer.concat([begun, more]);
      if (rest.length > LINE_MAX_BYTES && !rest.subarray(0, LINE_MAX_BYTES).includes(LINE_FEED)) {
        throw new LifeboatError('REDIS_PROTOCOL_ERROR', `${doing}: a line without an end`);
      }
    }
  };

  return { line, chunk };
}
