import { LifeboatError } from '../../../domain/errors.ts';
import { replyError } from '../../reply-error.ts';
import { RespError, type RespValue } from '../../resp.ts';
import type { RedisSocket } from '../../socket.ts';

export interface ScanReply {
  /** Cursor of the next SCAN; undefined behind the last. */
  readonly next: string | undefined;
  readonly keys: readonly Buffer[];
}

/** What a server answers to SCAN. @throws LifeboatError of the server's refusal, REDIS_PROTOCOL_ERROR */
export function readScanReply(reply: RespValue, { name }: Pick<RedisSocket, 'name'>): ScanReply {
  if (reply instanceof RespError) throw replyError(reply, `scan at redis ${name}`);
  const [cursor, keys] = Array.isArray(reply) ? reply : [];
  if (
    !(cursor instanceof Buffer) ||
    !Array.isArray(keys) ||
    !keys.every((key): key is Buffer => key instanceof Buffer)
  ) {
    throw new LifeboatError('REDIS_PROTOCOL_ERROR', `scan at redis ${name}: reply of another shape`);
  }
  const next = cursor.toString('latin1');
  return { next: next === '0' ? undefined : next, keys };
}
