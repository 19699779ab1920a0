import type { ComponentName } from './backup.ts';
import type { JournalEpoch, JournalGap } from './journal.ts';
import type { ComponentWindow, Replayable } from './replayable.ts';
import type { Span } from './time-spans.ts';

/** Instants of one component that cannot be restored, between two that can. */
export interface WindowGap {
  readonly component: ComponentName;
  readonly fromMs: number;
  /** Null where the journal runs again and no base stands on it yet: a full backup closes the gap. */
  readonly toMs: number | null;
  readonly code: string;
  readonly message: string;
}

/** Every hole between the spans of a component, and the one behind the last where a journal runs in vain. */
export function nameGaps(
  component: ComponentName,
  window: ComponentWindow | null,
  epochs: readonly JournalEpoch[],
): WindowGap[] {
  if (window === null) return [];
  const { spans, replayable } = window;
  const said = epochs.flatMap(({ begin }) => begin.gap ?? []);
  return spans.flatMap((span, index) => {
    const next = spans[index + 1];
    const toMs = next?.fromMs ?? null;
    if (next === undefined && !runsBehind(epochs, span)) return [];
    return [{ component, fromMs: span.toMs, toMs, ...reasonOf({ said, replayable, fromMs: span.toMs, toMs }) }];
  });
}

/** Does the newest journal know of later moments than can be restored? */
function runsBehind(epochs: readonly JournalEpoch[], last: Span): boolean {
  return epochs.some(({ durable }) => durable.timeMs > last.toMs);
}

/** What the journal said when it began anew; else where replay comes to its end; else nobody listened. */
function reasonOf(hole: {
  readonly said: readonly JournalGap[];
  readonly replayable: readonly Replayable[];
  readonly fromMs: number;
  readonly toMs: number | null;
}): Pick<WindowGap, 'code' | 'message'> {
  const toMs = hole.toMs ?? Number.POSITIVE_INFINITY;
  const gap = hole.said.findLast(({ from, to }) => (from?.timeMs ?? to.timeMs) <= toMs && to.timeMs >= hole.fromMs);
  if (gap !== undefined) return { code: gap.code, message: gap.message };
  const end = hole.replayable.findLast((base) => base.toMs === hole.fromMs && base.end?.code === 'JOURNAL_GAP')?.end;
  return end ?? { code: 'JOURNAL_GAP', message: 'no journal ran' };
}
