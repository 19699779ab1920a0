/** A length of time as people write it, checked: `90s`, `6h`, `1d12h`, `PT6H`, `P1DT12H`, `250ms`. */
export type Duration = string;

const UNITS_MS: Readonly<Record<string, number>> = {
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};

/** Each unit at most once, biggest first; a number without a unit is not a duration. */
const SHORT = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/i;
/** ISO 8601 without years and months, whose length depends on the calendar. */
const ISO = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/i;
const ORDER = ['w', 'd', 'h', 'm', 's', 'ms'] as const;

/** Milliseconds of a duration; undefined for anything else, also for an empty one and one beyond 2^53 ms. */
export function parseDuration(text: string): number | undefined {
  const compact = text.trim();
  const match = SHORT.exec(compact) ?? (/T$/i.test(compact) ? null : ISO.exec(compact));
  if (!match || match.slice(1).every((part) => part === undefined)) return undefined;
  let total = 0;
  ORDER.forEach((unit, index) => {
    total += Number(match[index + 1] ?? 0) * (UNITS_MS[unit] ?? 0);
  });
  return Number.isSafeInteger(total) ? total : undefined;
}

/** Milliseconds of a duration that the configuration has checked already. */
export function durationMs(duration: Duration): number {
  const milliseconds = parseDuration(duration);
  if (milliseconds === undefined) throw new RangeError(`not a duration: ${duration}`);
  return milliseconds;
}

/** Shortest usual writing: 21 600 000 → `6h`, 129 600 000 → `1d12h`, 0 → `0s`. Whole milliseconds only. */
export function formatDuration(milliseconds: number): string {
  let rest = Math.round(milliseconds);
  let text = '';
  for (const unit of ORDER.slice(1)) {
    const size = UNITS_MS[unit] ?? 1;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}
