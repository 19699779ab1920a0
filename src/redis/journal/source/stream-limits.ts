import type { Operation } from '../../../domain/operation.ts';
import type { RedisTarget } from '../../redis.ts';
import { RespError, type RespValue } from '../../resp.ts';
import { openRedisSocket } from '../../socket.ts';

const ANSWER_TIMEOUT_MS = 5_000;
/** A journal that is away for a minute under a thousand writes of a kilobyte a second misses so much. */
const BACKLOG_MIN_BYTES = 64 * 1024 ** 2;
/** The default hard limit of Redis for replicas; below it a snapshot under load is cut off early. */
const OUTPUT_HARD_MIN_BYTES = 256 * 1024 ** 2;

/** Settings of a server that decide how long a journal may be away, or slow. Null where CONFIG GET is not granted. */
export interface StreamLimits {
  /** repl-backlog-size: so much of the stream can be had again after an interruption. */
  readonly backlogBytes: number | null;
  /** repl-backlog-ttl: so long (seconds) without any replica until the backlog is freed; 0 for never. */
  readonly backlogTtlSeconds: number | null;
  /** client-output-buffer-limit of replicas; 0 for no limit. */
  readonly outputBuffer: {
    readonly hardBytes: number;
    readonly softBytes: number;
    readonly softSeconds: number;
  } | null;
  readonly warnings: readonly string[];
}

export async function inspectStreamLimits(
  target: RedisTarget,
  operation: Pick<Operation, 'signal'>,
): Promise<StreamLimits> {
  const redis = await openRedisSocket(target, { signal: operation.signal, replyTimeoutMs: ANSWER_TIMEOUT_MS });
  try {
    const names = ['repl-backlog-size', 'repl-backlog-ttl', 'client-output-buffer-limit'];
    const replies = await redis.pipeline(names.map((name) => ['CONFIG', 'GET', name]));
    const [backlog, ttl, output] = replies.map(settingOf);
    const known = {
      backlogBytes: numberOf(backlog),
      backlogTtlSeconds: numberOf(ttl),
      outputBuffer: outputBufferOf(output),
    };
    return { ...known, warnings: warningsOf(known) };
  } finally {
    redis.close();
  }
}

function settingOf(reply: RespValue): string | undefined {
  // Not granted, or not known to the server: the same for us.
  if (reply instanceof RespError || !Array.isArray(reply)) return undefined;
  const value = reply[1];
  return value instanceof Buffer ? value.toString('latin1') : undefined;
}

function numberOf(text: string | undefined): number | null {
  const value = Number(text ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : null;
}

/** `normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60` */
function outputBufferOf(text: string | undefined): StreamLimits['outputBuffer'] {
  const match = /\b(?:slave|replica) (\d+) (\d+) (\d+)/.exec(text ?? '');
  if (match === null) return null;
  return { hardBytes: Number(match[1]), softBytes: Number(match[2]), softSeconds: Number(match[3]) };
}

function warningsOf({ backlogBytes, outputBuffer }: Omit<StreamLimits, 'warnings'>): string[] {
  const warnings: string[] = [];
  if (backlogBytes !== null && backlogBytes < BACKLOG_MIN_BYTES) {
    const cost = 'after an interruption in which more is written the journal begins anew, with a gap';
    warnings.push(`repl-backlog-size is ${backlogBytes} bytes: ${cost}; 64mb or more is advised`);
  }
  const hardBytes = outputBuffer?.hardBytes ?? 0;
  if (hardBytes > 0 && hardBytes < OUTPUT_HARD_MIN_BYTES) {
    const cost = 'more writes than that while a snapshot is sent end the link';
    warnings.push(`client-output-buffer-limit of replicas is ${hardBytes} bytes: ${cost}; 256mb or more is advised`);
  }
  return warnings;
}
