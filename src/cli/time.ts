import { parseDuration } from '../domain/duration.ts';
import { LifeboatError } from '../domain/errors.ts';

const ISO_TIME =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?(Z|[+-]\d{2}(?::?\d{2})?)?$/i;
const FAR_OFFSET_HOURS = 14;

/**
 * An instant from `2024-01-15T10:30:00+01:00`, `2024-01-15T09:30Z`, `now` or `now-15m`.
 * @throws LifeboatError TIME_INVALID; TIME_WITHOUT_OFFSET, which names the two readings
 */
export function parseTime(text: string, now: Date = new Date()): Date {
  const relative = /^now(?:([+-])(.+))?$/i.exec(text.trim());
  if (relative) return relativeTime(relative, text, now);
  const match = ISO_TIME.exec(text.trim());
  if (!match || !isCalendarTime(match))
    throw new LifeboatError('TIME_INVALID', `read time ${JSON.stringify(text)}: not a time`);
  const offset = match[8];
  if (offset === undefined) throw withoutOffset(text, match);
  return new Date(`${toIso(match)}${toIsoOffset(offset, text)}`);
}

function relativeTime(match: RegExpExecArray, text: string, now: Date): Date {
  const distanceMs = match[2] === undefined ? 0 : parseDuration(match[2]);
  if (distanceMs !== undefined) return new Date(now.getTime() + (match[1] === '-' ? -distanceMs : distanceMs));
  throw new LifeboatError('TIME_INVALID', `read time ${JSON.stringify(text)}: no duration such as 15m behind now`);
}

/** Refuses the 30th of February, which Date would quietly move into March. */
function isCalendarTime(match: RegExpExecArray): boolean {
  const [, year, month, day, hour = '0', minute = '0', second = '0'] = match;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  const sameDay = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  return sameDay && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
}

function toIso(match: RegExpExecArray): string {
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '0'] = match;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}`;
}

function toIsoOffset(offset: string, text: string): string {
  if (offset.toUpperCase() === 'Z') return 'Z';
  const hours = offset.slice(1, 3);
  const minutes = offset.slice(3).replace(':', '') || '00';
  if (Number(hours) <= FAR_OFFSET_HOURS && Number(minutes) < 60) return `${offset[0]}${hours}:${minutes}`;
  throw new LifeboatError('TIME_INVALID', `read time ${JSON.stringify(text)}: no place has the offset ${offset}`);
}

function withoutOffset(text: string, match: RegExpExecArray): LifeboatError {
  const iso = toIso(match);
  const here = new Date(iso);
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const readings = [
    `${iso.slice(0, 19)}Z in UTC`,
    `${here.toISOString().slice(0, 19)}Z if it means this machine's time zone, ${zone}`,
  ];
  return new LifeboatError(
    'TIME_WITHOUT_OFFSET',
    `read time ${JSON.stringify(text)}: it has no offset: ${readings.join(', or ')}`,
    {
      details: { readings },
    },
  );
}
