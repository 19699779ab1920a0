import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { LifeboatError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { forgetHolder, type TurnHolder } from './turn-holder.ts';
import { encodeTurn, turnKey, turnNumbers } from './turn-record.ts';
import type { Turn, TurnTimes } from './turn.ts';

const LOOK_MS = 1_000;
/** A store that does not answer keeps nobody from ending. */
const END_LIMIT_MS = 10_000;

export interface HeldTurn {
  readonly number: number;
  readonly holder: TurnHolder;
  /** When the request began that took it, by `elapsedSince`. */
  readonly since: Moment;
}

/** Both clocks: the one stands still while a machine sleeps, the other one is set. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export const moment = (): Moment => ({ monotonicMs: performance.now(), wallMs: Date.now() });

/** The longer of what the two say: a turn may end too early, never too late. */
function elapsedMs({ monotonicMs, wallMs }: Moment): number {
  return Math.max(performance.now() - monotonicMs, Date.now() - wallMs);
}

/**
 * Keeps a turn that was taken. It counts from the *beginning* of the last request that renewed it, so that whoever saw that renewal
 * began to wait later than this.
 */
export function holdTurn(store: ObjectStore, { number, holder, since }: HeldTurn, times: TurnTimes): Turn {
  const lost = new AbortController();
  const ended = new AbortController();
  let renewed = since;
  let renewal = 0;

  const lose = (what: string): LifeboatError => {
    const error = new LifeboatError('TARGET_TURN_LOST', `change ${store.url}: ${what}`);
    if (!lost.signal.aborted) lost.abort(error);
    return error;
  };
  const requireHeld = (): void => {
    lost.signal.throwIfAborted();
    if (elapsedMs(renewed) > times.trustMs) throw lose('the turn could not be renewed in time');
  };
  const confirm = async (): Promise<void> => {
    requireHeld();
    if ((await turnNumbers(store)).at(-1) !== number) throw lose('another run has taken the turn');
    requireHeld();
  };
  const renew = async (): Promise<void> => {
    const begun = moment();
    await confirm();
    await store.put(turnKey(number), encodeTurn({ holder, renewal: (renewal += 1), over: false }));
    renewed = begun;
  };
  const watch = setInterval(() => {
    try {
      requireHeld();
    } catch {
      // Told through `signal`.
      clearInterval(watch);
    }
  }, LOOK_MS);
  watch.unref();
  const renewing = (async () => {
    while (!ended.signal.aborted && !lost.signal.aborted) {
      const waited = await delay(times.renewMs, true, { signal: ended.signal, ref: false }).catch(() => false);
      // A store that does not answer is asked again until the turn is lost; that is what is told.
      if (waited) await renew().catch(() => undefined);
    }
  })();

  const sayOver = async (): Promise<void> => {
    // A renewal that is on its way would take it back.
    await renewing;
    await store.put(turnKey(number), encodeTurn({ holder, renewal: renewal + 1, over: true }));
  };

  return {
    signal: lost.signal,
    requireHeld,
    confirm,
    async end() {
      ended.abort();
      clearInterval(watch);
      forgetHolder(holder);
      if (lost.signal.aborted) return;
      // Where this fails, or hangs, whoever comes next waits as for one that has died.
      await Promise.race([sayOver().catch(() => undefined), delay(END_LIMIT_MS, undefined, { ref: false })]);
    },
  };
}
