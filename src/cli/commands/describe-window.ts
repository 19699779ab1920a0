import type { GapView, SpanView, WindowView } from '../../domain/window-view.ts';

/** On a screen; the JSON answer has all of them. */
const SHOWN = 5;

/** The fields that cli.md promises first, then the rest. */
export function describeWindow(window: WindowView): string[] {
  const { from, to, spans, postgres } = window;
  if (from !== null && to !== null) return describeSpans(`${from} to ${to}`, spans, window);
  const [first, last] = [postgres?.spans[0], postgres?.spans.at(-1)];
  if (first === undefined || last === undefined || !isOfPostgresAlone(window)) {
    return ['recovery window: none; each backup restores to its own instant (journal.enabled makes a window)'];
  }
  return [
    ...describeSpans(`of PostgreSQL alone, ${first.from} to ${last.to}`, postgres?.spans ?? [], window),
    '  Redis has no journal: it comes back as its backups hold it (restore --postgres --to-time takes PostgreSQL alone)',
  ];
}

/** Redis is copied by backups only, and the WAL of PostgreSQL is kept: that is more than the backups' own instants. */
function isOfPostgresAlone({ postgres, redis }: WindowView): boolean {
  return redis?.spans.length === 0 && postgres?.spans.some(({ from, to }) => from !== to) === true;
}

function describeSpans(what: string, spans: readonly SpanView[], { gaps, omitted }: WindowView): string[] {
  const pieces = spans.length === 1 ? '' : `, in ${spans.length} pieces`;
  return [
    `recovery window: ${what}${pieces}`,
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
