import { LifeboatError } from '../../../domain/errors.ts';
import type { Lsn } from '../../../domain/lsn.ts';
import { statusUpdate } from './frames.ts';

/** The server hears from us at least this often; more often where its own patience is shorter. */
const STATUS_INTERVAL_MS = 10_000;
/** Status messages within the server's patience (`wal_sender_timeout`): two may be late. */
const STATUS_PER_TIMEOUT = 3;
/** While it shuts down, a server asks again as soon as it is answered. */
const ANSWER_PAUSE_MS = 100;
/** How often it is looked whether a message is due. */
const BEAT_MS = 200;
/** A server that was asked for a sign of life several times and gave none is gone. */
const SILENCE_LIMIT_MS = 60_000;

/** Tells the server at the right times what is confirmed, also while nothing is read from it; notices its silence. */
export interface Heartbeat {
  /** Something came from the server. */
  heard(): void;
  /** The server wants an answer. */
  answer(): void;
  /** Sends what is confirmed now. */
  tell(): void;
  /** `wal_sender_timeout`, 0 for none. */
  setSenderTimeoutMs(timeoutMs: number): void;
  stop(): void;
}

export function startHeartbeat(deps: {
  readonly send: (payload: Buffer) => void;
  readonly confirmed: () => Lsn;
  /** Nothing is read from the server now, so that its silence means nothing. */
  readonly isPaused: () => boolean;
  readonly onSilence: (error: LifeboatError) => void;
}): Heartbeat {
  let intervalMs = STATUS_INTERVAL_MS;
  let heardMs = performance.now();
  let sentMs = -Infinity;
  let answerDue = false;

  const tell = (): void => {
    const nowMs = performance.now();
    const requestReply = nowMs - heardMs >= intervalMs;
    deps.send(statusUpdate({ confirmed: deps.confirmed(), nowMs: Date.now(), requestReply }));
    sentMs = nowMs;
    answerDue = false;
  };
  const beat = (): void => {
    const nowMs = performance.now();
    if (deps.isPaused()) heardMs = nowMs;
    if (answerDue || nowMs - sentMs >= intervalMs) tell();
    if (nowMs - heardMs < SILENCE_LIMIT_MS) return;
    const message = `receive wal: nothing came from the server for ${SILENCE_LIMIT_MS / 1_000} s`;
    deps.onSilence(new LifeboatError('POSTGRES_CONNECTION_LOST', message));
  };
  const timer = setInterval(beat, BEAT_MS);
  return {
    heard: () => void (heardMs = performance.now()),
    answer() {
      if (performance.now() - sentMs >= ANSWER_PAUSE_MS) tell();
      else answerDue = true;
    },
    tell,
    setSenderTimeoutMs(timeoutMs) {
      intervalMs = timeoutMs === 0 ? STATUS_INTERVAL_MS : Math.min(STATUS_INTERVAL_MS, timeoutMs / STATUS_PER_TIMEOUT);
    },
    stop: () => clearInterval(timer),
  };
}
