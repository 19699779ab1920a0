import type { Operation } from '../domain/operation.ts';

/** Readings more often than this say nothing new to a person and cost CPU. */
const REPORT_EVERY_MS = 200;

/** Sums up what several streams of one operation move, and reports it. */
export interface Meter {
  readonly bytes: number;
  /** Passes the bytes on and counts them; `object` is said while they flow. */
  count(source: AsyncIterable<Uint8Array>, object: () => string): AsyncGenerator<Uint8Array, void, undefined>;
  /** Something moved that is not a byte: tables counted, indexes built. */
  tick(object: string, items?: number): void;
  enter(phase: string): void;
}

export function createMeter(operation: Operation, options: { readonly totalBytes?: number } = {}): Meter {
  let phase = 'starting';
  let bytes = 0;
  let items = 0;
  let reportedAt = 0;
  const report = (object: string | undefined, force = false): void => {
    const now = Date.now();
    if (!force && now - reportedAt < REPORT_EVERY_MS) return;
    reportedAt = now;
    operation.onProgress({ phase, ...(object === undefined ? {} : { object }), bytes, items, ...options });
  };
  return {
    get bytes() {
      return bytes;
    },
    async *count(source, object) {
      for await (const chunk of source) {
        bytes += chunk.byteLength;
        report(object());
        yield chunk;
      }
    },
    tick(object, more = 1) {
      items += more;
      report(object, true);
    },
    enter(next) {
      phase = next;
      report(undefined, true);
    },
  };
}
