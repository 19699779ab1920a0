import type { RedisStreamState } from '../../../domain/journal.ts';
import type { StreamFramer } from '../stream/stream-framer.ts';

/** Arrivals closer together than this are told apart by nobody. */
const GRANULARITY_MS = 10;
/** No span grows further, so that a chunk can end near its bound. */
const SPAN_BYTES = 256 * 1024;
const MARKS_MAX = 256;

export type Marks = readonly (readonly [bytes: number, milliseconds: number])[];

/** Bytes of the stream that arrived together, and how the stream stood behind the last whole command among them. */
interface Span {
  readonly firstMs: number;
  lastMs: number;
  to: number;
  commandEnd: number;
  database: number | null;
  insideMulti: boolean;
}

/** The part of a stream that is to be given next. */
export interface Cut {
  readonly from: number;
  readonly to: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly marks: Marks;
  readonly state: Omit<RedisStreamState, 'database'> & { readonly database: number | null };
}

export interface CutLimits {
  readonly bytes: number;
  readonly spanMs: number;
}

/**
 * When which bytes arrived, from the first that was not given yet. A cut ends behind a whole command wherever one has
 * come: only inside a value that is larger than a chunk it does not.
 */
export class SpanList {
  #given: number;
  #lastGivenMs = 0;
  #spans: Span[] = [];
  #first = 0;

  constructor(offset: number) {
    this.#given = offset;
  }

  /** All before it was given. */
  get given(): number {
    return this.#given;
  }

  get received(): number {
    return this.#spans.at(-1)?.to ?? this.#given;
  }

  /** When the oldest byte that was not given arrived; undefined when there is none. */
  get waitingSinceMs(): number | undefined {
    return this.#spans[this.#first]?.firstMs;
  }

  /** Notes that everything up to `framer.offset` has arrived by now. */
  add(framer: StreamFramer, nowMs: number): void {
    const { offset: to, commandEnd, database, insideMulti } = framer;
    const last = this.#spans.at(-1);
    // A clock that is set back must not put later bytes before earlier ones.
    const timeMs = Math.max(nowMs, last?.lastMs ?? this.#lastGivenMs);
    const from = this.#spans.length > this.#first + 1 ? this.#spans.at(-2)!.to : this.#given;
    if (last !== undefined && timeMs - last.firstMs < GRANULARITY_MS && to - from <= SPAN_BYTES) {
      Object.assign(last, { lastMs: timeMs, to, commandEnd, database, insideMulti });
    } else {
      this.#spans.push({ firstMs: timeMs, lastMs: timeMs, to, commandEnd, database, insideMulti });
    }
  }

  /** What can be given now; undefined while only the beginning of a command is there. */
  next(limits: CutLimits): Cut | undefined {
    const spans = this.#within(limits);
    const last = spans.at(-1);
    if (last === undefined) return undefined;
    const whole = spans.findLast(({ commandEnd }) => commandEnd > this.#given);
    if (whole !== undefined) return this.#cut(spans, whole, whole.commandEnd);
    return last.to - this.#given >= limits.bytes ? this.#cut(spans, last, last.to) : undefined;
  }

  /** Counts a cut as given. */
  give(cut: Cut): void {
    this.#given = cut.to;
    this.#lastGivenMs = cut.toMs;
    while (this.#first < this.#spans.length && this.#spans[this.#first]!.to <= cut.to) this.#first += 1;
    // Moved rarely: the list is short, unless the reader lags far behind.
    if (this.#first > 1024 || this.#first === this.#spans.length) {
      this.#spans = this.#spans.slice(this.#first);
      this.#first = 0;
    }
  }

  #within({ bytes, spanMs }: CutLimits): readonly Span[] {
    const first = this.#spans[this.#first];
    if (first === undefined) return [];
    let end = this.#first + 1;
    while (end < this.#spans.length) {
      const { lastMs } = this.#spans[end]!;
      const open = this.#spans[end - 1]!.to - this.#given < bytes && lastMs - first.firstMs <= spanMs;
      // However slowly a value trickles in, its beginning alone is no reason to cut it.
      if (
        !open &&
        (this.#spans[end - 1]!.commandEnd > this.#given || this.#spans[end - 1]!.to - this.#given >= bytes)
      ) {
        break;
      }
      end += 1;
    }
    return this.#spans.slice(this.#first, end);
  }

  /** @param standing the span that says how the stream stands at the end of the cut */
  #cut(spans: readonly Span[], standing: Span, to: number): Cut {
    const fromMs = Math.max(spans[0]!.firstMs, this.#lastGivenMs);
    const covering = spans.slice(0, spans.findIndex((span) => span.to >= to) + 1);
    const points = covering.map((span) => [Math.min(span.to, to), Math.max(span.lastMs, fromMs)] as const);
    const { insideMulti, database, commandEnd } = standing;
    return {
      from: this.#given,
      to,
      fromMs,
      toMs: points.at(-1)![1],
      marks: marksOf(points, { offset: this.#given, timeMs: fromMs }),
      state: { database, insideMulti, unfinishedBytes: to - commandEnd },
    };
  }
}

/** Neighbours are put together until few enough are left; the later time holds for both. */
function marksOf(
  points: readonly (readonly [offset: number, timeMs: number])[],
  start: { readonly offset: number; readonly timeMs: number },
): Marks {
  const every = Math.ceil(points.length / MARKS_MAX);
  const kept = points.filter((_, index) => (points.length - 1 - index) % every === 0);
  let { offset, timeMs } = start;
  return kept.map(([to, atMs]) => {
    const mark = [to - offset, atMs - timeMs] as const;
    offset = to;
    timeMs = atMs;
    return mark;
  });
}
