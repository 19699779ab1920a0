/** Every instant from `fromMs` to `toMs`, both included; milliseconds since 1970. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The same instants as spans that neither overlap nor touch, oldest first. */
export function joinSpans(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const { fromMs, toMs } of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = joined.at(-1);
    if (last === undefined || fromMs > last.toMs) joined.push({ fromMs, toMs });
    else joined[joined.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, toMs) };
  }
  return joined;
}

/** What is in both; each list as `joinSpans` gives it. */
export function intersectSpans(first: readonly Span[], second: readonly Span[]): Span[] {
  return first
    .flatMap((a) => second.map((b) => ({ fromMs: Math.max(a.fromMs, b.fromMs), toMs: Math.min(a.toMs, b.toMs) })))
    .filter(({ fromMs, toMs }) => fromMs <= toMs);
}
