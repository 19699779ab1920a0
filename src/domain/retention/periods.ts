import type { Period } from './retention-rules.ts';

const DAY_MS = 86_400_000;

/** Name of the period (UTC; weeks as in ISO 8601) that an instant lies in: equal names are one period. */
export function periodOf(period: Period, timeMs: number): string {
  const iso = new Date(timeMs).toISOString();
  if (period === 'weekly') return weekOf(timeMs);
  const length = { hourly: 13, daily: 10, monthly: 7, yearly: 4 }[period];
  return iso.slice(0, length);
}

/** `2026-W01`: a week belongs to the year that holds its Thursday. */
function weekOf(timeMs: number): string {
  const day = new Date(timeMs).getUTCDay() || 7;
  const thursday = new Date(timeMs + (4 - day) * DAY_MS);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}
