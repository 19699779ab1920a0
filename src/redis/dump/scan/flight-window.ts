/** Replies to DUMP that may be on their way at once, by expectation: they wait in the memory of the server. */
const WINDOW_BYTES = 16 * 1024 * 1024;
const WINDOW_MAX_KEYS = 2000;
const WINDOW_FIRST_KEYS = 16;
/** Each key seen weighs this much of the mean; the last thousand keys are what counts. */
const FORGETTING = 0.999;

export interface FlightWindow {
  /** Keys that may be asked for without having been answered. */
  readonly keys: number;
  /** To be told of each payload that came. */
  saw(payloadBytes: number): void;
}

/**
 * How many values to ask for ahead. A server builds the replies to all that was asked and keeps them until they are
 * read, so asking for a thousand big values at once could cost it gigabytes. SCAN gives keys in the order of their
 * hashes, that is at random, so the mean of those seen foretells the next: the window begins small, doubles while
 * values are small, and follows the mean.
 */
export function createFlightWindow(): FlightWindow {
  let keys = WINDOW_FIRST_KEYS;
  let weight = 0;
  let weightedBytes = 0;
  let untilGrowth = keys;
  return {
    get keys() {
      return keys;
    },
    saw(payloadBytes) {
      weight = weight * FORGETTING + 1;
      weightedBytes = weightedBytes * FORGETTING + payloadBytes;
      const affordable = Math.max(1, Math.floor((WINDOW_BYTES * weight) / Math.max(weightedBytes, 1)));
      untilGrowth -= 1;
      if (untilGrowth <= 0 || affordable < keys) {
        keys = Math.min(affordable, keys * 2, WINDOW_MAX_KEYS);
        untilGrowth = keys;
      }
    },
  };
}
