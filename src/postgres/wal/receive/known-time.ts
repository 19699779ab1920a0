import type { Lsn } from '../../../domain/lsn.ts';

/** All that the server had flushed at `timeMs` (its clock) is below `lsn`. */
interface Sample {
  readonly timeMs: number;
  readonly lsn: Lsn;
}

/** Up to which moment of the server's clock everything that it had flushed was received. */
export interface KnownTime {
  /** Never goes back. */
  readonly ms: number;
  /** The clock must have been read before the position: a commit in between would be missing otherwise. */
  sample(sample: Sample): void;
  reached(received: Lsn): void;
}

/** At most two samples wait for their WAL, the oldest and the newest: that is enough to come forward in a long catch-up. */
export function createKnownTime(initialMs: number): KnownTime {
  let ms = initialMs;
  let oldest: Sample | undefined;
  let newest: Sample | undefined;
  return {
    get ms() {
      return ms;
    },
    sample(sample) {
      if (oldest === undefined) oldest = sample;
      else newest = sample;
    },
    reached(received) {
      while (oldest !== undefined && oldest.lsn <= received) {
        ms = Math.max(ms, oldest.timeMs);
        oldest = newest;
        newest = undefined;
      }
    },
  };
}
