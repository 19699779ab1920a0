import type { JournalKind } from './journal.ts';

/** What of the settings decides whether a journal can be kept at all. */
export interface JournalSettings {
  readonly redis: { readonly method: string } | null;
}

/** Why no journal of this kind is kept although journals are on; null where one is. */
export function whyNotKept(kind: JournalKind, { redis }: JournalSettings): string | null {
  if (kind !== 'redis' || redis?.method !== 'dump') return null;
  return 'redis.method is dump: keys are copied by each backup, and there is no stream to keep';
}
