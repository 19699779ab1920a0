import type { RedisTarget } from '../../redis.ts';
import { RespError } from '../../resp.ts';
import { parseInfo } from '../../server-view.ts';
import { openRedisSocket, type RedisSocket } from '../../socket.ts';

/** All that the server had done by `timeMs` is before `offset`. */
export interface ServerPosition {
  readonly offset: number;
  readonly timeMs: number;
}

/** INFO is answered from memory; who does not within this time is asked again later. */
const ANSWER_TIMEOUT_MS = 5_000;
/** Between two questions at least. */
export const ASK_AGAIN_MS = 200;

/**
 * Asks a server over an ordinary connection how far its stream goes, one question at a time. An idle stream proves
 * nothing by itself: only with this are its silence and "nothing happened" the same.
 */
export interface PositionProbe {
  /** Begins to ask, unless it is before this time or a question is open already. The answer comes to `onPosition`. */
  ask(notBeforeMs?: number): void;
  close(): void;
}

export function createPositionProbe(
  target: RedisTarget,
  replid: string,
  onPosition: (position: ServerPosition) => void,
): PositionProbe {
  const closing = new AbortController();
  let redis: RedisSocket | undefined;
  let asking = false;
  let forbidden = false;
  let askedMs = 0;

  const ask = async (): Promise<void> => {
    redis ??= await openRedisSocket(target, { signal: closing.signal, replyTimeoutMs: ANSWER_TIMEOUT_MS });
    const timeMs = Date.now();
    const [reply] = await redis.pipeline([['INFO', 'replication']]);
    // Without the right to ask, the server's pings are the only sign that it is there; they come as chunks.
    forbidden = reply instanceof RespError && reply.code === 'NOPERM';
    const position = positionOf(reply instanceof Buffer ? reply.toString('utf8') : '', replid, timeMs);
    if (position !== undefined) onPosition(position);
  };

  return {
    ask(notBeforeMs = 0) {
      const nextMs = Math.max(notBeforeMs, askedMs + ASK_AGAIN_MS);
      if (asking || forbidden || closing.signal.aborted || Date.now() < nextMs) return;
      asking = true;
      askedMs = Date.now();
      void ask()
        .catch(() => {
          // No answer, no statement about the time; the replication link itself reports that the server is gone.
          redis?.close();
          redis = undefined;
        })
        .finally(() => (asking = false));
    },
    close() {
      closing.abort();
      redis?.close();
    },
  };
}

/** Undefined where the server is in another history, or is itself cut off from what it copies. */
function positionOf(text: string, replid: string, timeMs: number): ServerPosition | undefined {
  const info = parseInfo(text);
  const offset = Number(info.get('master_repl_offset') ?? Number.NaN);
  if (info.get('master_replid') !== replid || !Number.isSafeInteger(offset)) return undefined;
  if (info.get('role') === 'master') return { offset, timeMs };
  // A replica knows its master's state as of the last word from it; whole seconds, rounded down.
  const silentSeconds = Number(info.get('master_last_io_seconds_ago') ?? -1);
  if (info.get('master_link_status') !== 'up' || silentSeconds < 0) return undefined;
  return { offset, timeMs: timeMs - (silentSeconds + 1) * 1000 };
}
