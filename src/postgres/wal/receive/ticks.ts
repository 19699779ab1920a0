import type { Session } from '../../connection/session.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { KnownTime } from './known-time.ts';
import { readServerClock } from './server-clock.ts';
import type { TimelineStream } from './timeline-stream.ts';

/** WAL that was flushed when the clock was read comes within this time, or the next tick is early enough. */
const ARRIVAL_LIMIT_MS = 200;
/**
 * A server that shuts down ends its sessions first, and then waits for replication until all is confirmed. With a store
 * that does not answer it would wait for ever: after this long it is let go, with nothing confirmed that is not durable.
 */
const SHUTDOWN_PATIENCE_MS = 30_000;

/** Reads the server's clock every `flushMs` and makes the stream give what had come by then. */
export function startTicks(deps: {
  readonly session: Session;
  readonly flushMs: number;
  readonly stream: TimelineStream;
  readonly heartbeat: Heartbeat;
  readonly known: KnownTime;
  /** The server has not ended the stream long after it had ended its sessions. */
  readonly onLost: (error: unknown) => void;
}): { stop(): void } {
  const { session, stream, known } = deps;
  let state: 'idle' | 'reading' | 'lost' | 'stopped' = 'idle';
  let arrival: NodeJS.Timeout | undefined;
  let patience: NodeJS.Timeout | undefined;

  const isStopped = (): boolean => state === 'stopped';
  const read = async (): Promise<void> => {
    try {
      const { timeMs, flushed, senderTimeoutMs } = await readServerClock(session);
      if (isStopped()) return;
      deps.heartbeat.setSenderTimeoutMs(senderTimeoutMs);
      known.sample({ timeMs, lsn: flushed });
      known.reached(stream.blocks.received);
      stream.flushAt(flushed);
      arrival = setTimeout(() => stream.flushLate(), Math.min(ARRIVAL_LIMIT_MS, deps.flushMs));
      state = 'idle';
    } catch (error) {
      if (isStopped()) return;
      state = 'lost';
      patience = setTimeout(deps.onLost, SHUTDOWN_PATIENCE_MS, error);
      stream.flush();
    }
  };
  const tick = (): void => {
    clearTimeout(arrival);
    if (state !== 'idle') return stream.flush();
    state = 'reading';
    void read();
  };
  const timer = setInterval(tick, deps.flushMs);
  return {
    stop() {
      state = 'stopped';
      clearInterval(timer);
      clearTimeout(arrival);
      clearTimeout(patience);
    },
  };
}
