import type { GapView, SpanView, WindowView } from '../../domain/window-view.ts';

/** On a screen; the JSON answer has all of them. */
const SHOWN = 5;

/** The fields that cli.md promises first, then the rest. */
export function describeWindow({ from, to, spans, gaps, omitted }: WindowView): string[] {
  if (from === null || to === null) {
    return ['recovery window: none; each backup restores to its own instant (journal.enabled makes a window)'];
  }
  const pieces = spans.length === 1 ? '' : `, in ${spans.length} pieces`;
  return [
    `recovery window: ${from} to ${to}${pieces}`,
    ...(spans.length === 1 ? [] : shown(spans, (span: SpanView) => `  from ${span.from} to ${span.to}`)),
    ...shown(gaps, describeGap),
    ...(omitted === 0 ? [] : [`  and ${omitted} that are older`]),
  ];
}

export function describeGap({ component, from, to, code, message }: GapView): string {
  return `  gap of ${component} from ${from} ${to === null ? 'on, until a full backup is taken' : `to ${to}`}: ${code}, ${message}`;
}

function shown<T>(all: readonly T[], line: (one: T) => string): string[] {
  const older = all.length - SHOWN;
  return [...(older > 0 ? [`  … ${older} more before these`] : []), ...all.slice(-SHOWN).map(line)];
}
