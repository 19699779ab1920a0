import type { WindowGap } from './recovery-gaps.ts';
import type { RecoveryWindow } from './recovery-window.ts';
import type { ComponentWindow } from './replayable.ts';
import type { Span } from './time-spans.ts';

/** Every instant from `from` to `to`, both ISO 8601. */
export interface SpanView {
  readonly from: string;
  readonly to: string;
}

export interface GapView {
  readonly component: WindowGap['component'];
  readonly from: string;
  /** Null where the gap is open: a full backup closes it. */
  readonly to: string | null;
  readonly code: string;
  readonly message: string;
}

/** A recovery window as people and programs read it; `from` and `to` are null where only backups as they are can be had. */
export interface WindowView {
  readonly from: string | null;
  readonly to: string | null;
  readonly gaps: readonly GapView[];
  /** Instants that can be restored in all components at once, oldest first. */
  readonly spans: readonly SpanView[];
  readonly postgres: { readonly spans: readonly SpanView[] } | null;
  readonly redis: { readonly spans: readonly SpanView[] } | null;
  /** Spans and gaps that are older than those listed. */
  readonly omitted: number;
}

/** Each about 60 bytes, a gap about 200: far below Temporal's limit on a payload, and more than a person reads. */
const MAX_SPANS = 200;
const MAX_GAPS = 200;

/** The newest of what there is; how much older is left out is said. */
export function viewWindow(window: RecoveryWindow): WindowView {
  const { fromMs, toMs, spans, gaps, postgres, redis } = window;
  const lists = [spans, postgres?.spans ?? [], redis?.spans ?? []];
  const omitted = [...lists.map((list) => list.length - MAX_SPANS), gaps.length - MAX_GAPS];
  return {
    from: instantOrNull(fromMs),
    to: instantOrNull(toMs),
    gaps: gaps.slice(-MAX_GAPS).map(viewGap),
    spans: viewSpans(spans),
    postgres: viewComponent(postgres),
    redis: viewComponent(redis),
    omitted: omitted.reduce((sum, count) => sum + Math.max(0, count), 0),
  };
}

function viewComponent(window: ComponentWindow | null): WindowView['postgres'] {
  return window && { spans: viewSpans(window.spans) };
}

function viewSpans(spans: readonly Span[]): SpanView[] {
  return spans.slice(-MAX_SPANS).map(({ fromMs, toMs }) => ({ from: instant(fromMs), to: instant(toMs) }));
}

function viewGap({ component, fromMs, toMs, code, message }: WindowGap): GapView {
  return { component, from: instant(fromMs), to: instantOrNull(toMs), code, message };
}

const instant = (timeMs: number): string => new Date(timeMs).toISOString();
const instantOrNull = (timeMs: number | null): string | null => (timeMs === null ? null : instant(timeMs));
