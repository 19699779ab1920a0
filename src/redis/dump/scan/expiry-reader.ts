import { LifeboatError } from '../../../domain/errors.ts';
import { replyError } from '../../reply-error.ts';
import { RespError, type RespValue } from '../../resp.ts';
import type { RedisSocket } from '../../socket.ts';
import type { CommandBuffer } from '../command-buffer.ts';

/** What a server says in place of an expiry. */
export const NEVER = -1;
export const MISSING = -2;

/** How the absolute expiry of a key is read: commands to send and what their replies mean. */
export interface ExpiryReader {
  /** Replies that come in front of the value, and again behind it. */
  readonly replies: number;
  askBefore(commands: CommandBuffer, key: Buffer): void;
  askAfter(commands: CommandBuffer, key: Buffer): void;
  /** Milliseconds since 1970, NEVER or MISSING. The replies of `askBefore` begin at `at`. */
  before(replies: readonly RespValue[], at: number): number;
  /** The same from the replies of `askAfter`. */
  after(replies: readonly RespValue[], at: number): number;
}

/**
 * PEXPIRETIME (Redis 7) tells it as it is. Without it (6.2, or not granted) it is TIME + PTTL, with TIME in front the
 * first time and behind the second time: an expiry computed so is never too late the one way and never too early the
 * other, so where both agree it is exact to the millisecond.
 */
export async function chooseExpiryReader(socket: RedisSocket): Promise<ExpiryReader> {
  const probe = ['PEXPIRETIME', ''] as const;
  const [exact, time] = await socket.pipeline([probe, ['TIME']]);
  // Unknown or not granted: the same for us.
  if (typeof exact === 'number') return exactReader;
  if (time instanceof RespError) throw replyError(time, 'read the time of redis, as pexpiretime is not to be had');
  return computedReader;
}

const exactReader: ExpiryReader = {
  replies: 1,
  askBefore: (commands, key) => commands.add('PEXPIRETIME', key),
  askAfter: (commands, key) => commands.add('PEXPIRETIME', key),
  before: (replies, at) => number(replies[at]),
  after: (replies, at) => number(replies[at]),
};

const computedReader: ExpiryReader = {
  replies: 2,
  askBefore(commands, key) {
    commands.add('TIME');
    commands.add('PTTL', key);
  },
  askAfter(commands, key) {
    commands.add('PTTL', key);
    commands.add('TIME');
  },
  before: (replies, at) => absolute(replies[at], replies[at + 1]),
  after: (replies, at) => absolute(replies[at + 1], replies[at]),
};

function absolute(time: RespValue | undefined, ttl: RespValue | undefined): number {
  const ttlMs = number(ttl);
  return ttlMs < 0 ? ttlMs : toMilliseconds(time) + ttlMs;
}

/** The reply of TIME, seconds and microseconds, as milliseconds. */
export function toMilliseconds(time: RespValue | undefined): number {
  if (time instanceof RespError) throw replyError(time, 'read the time of redis');
  const [seconds, microseconds] = Array.isArray(time) ? time.map(String) : [];
  const timeMs = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  if (!Number.isFinite(timeMs)) throw new LifeboatError('REDIS_PROTOCOL_ERROR', 'read the time of redis: no numbers');
  return timeMs;
}

function number(reply: RespValue | undefined): number {
  if (typeof reply === 'number') return reply;
  if (reply instanceof RespError) throw replyError(reply, 'read the expiry of a key');
  throw new LifeboatError('REDIS_PROTOCOL_ERROR', 'read the expiry of a key: the reply is no number');
}
