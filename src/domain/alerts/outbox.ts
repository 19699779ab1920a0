import type { Notice } from './alert.ts';
import type { Delivery } from './next-notifications.ts';

/** What one channel has yet to be told, in order. */
export interface Outbox {
  readonly notices: readonly Notice[];
  /** Failed attempts to tell the first of them. */
  readonly attempts: number;
  /** Not before this, ISO 8601; null: now. */
  readonly nextAt: string | null;
  readonly lastError: string | null;
  /** Given up since the channel was last told something. */
  readonly dropped: number;
}

export type Outboxes = Readonly<Record<string, Outbox>>;

export const EMPTY_OUTBOX: Outbox = { notices: [], attempts: 0, nextAt: null, lastError: null, dropped: 0 };

/** A channel that does not take a message is asked again after this time, then after twice that, and so on up to the longest. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 10 * 60_000;
/** What could not be told in this time is given up: by then somebody has noticed otherwise, and a reminder is newer. */
const GIVE_UP_AFTER_MS = 3 * 24 * 3_600_000;

/** A channel that is away for days: the newest that there is room for in a history. */
const MAX_NOTICES = 50;

/** Adds what is to be told. Of each alert the newest counts: a channel that was away for a night is told how things stand, not how they came to be. */
export function enqueue(boxes: Outboxes, deliveries: readonly Delivery[]): Outboxes {
  const next: Record<string, Outbox> = { ...boxes };
  for (const { channel, notice } of deliveries) {
    const box = next[channel] ?? EMPTY_OUTBOX;
    const others = box.notices.filter(({ alert }) => alert.key !== notice.alert.key);
    const notices = [...others, notice].slice(-MAX_NOTICES);
    next[channel] = { ...box, notices, dropped: box.dropped + others.length + 1 - notices.length };
  }
  return next;
}

/** The channel has taken a notice; one that took its place in the meantime stays. */
export function delivered(box: Outbox, { id }: Notice): Outbox {
  return { ...EMPTY_OUTBOX, notices: box.notices.filter((notice) => notice.id !== id) };
}

/** The channel has not taken a notice. `isFinal`: it never will. */
export function undelivered(
  box: Outbox,
  { id }: Notice,
  failure: { readonly error: string; readonly isFinal: boolean; readonly nowMs: number },
): Outbox {
  const { error, isFinal, nowMs } = failure;
  const isGivenUp = (notice: Notice): boolean =>
    (isFinal && notice.id === id) || nowMs - Date.parse(notice.at) > GIVE_UP_AFTER_MS;
  const notices = box.notices.filter((notice) => !isGivenUp(notice));
  const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(box.attempts, 10));
  return {
    notices,
    attempts: box.attempts + 1,
    nextAt: new Date(nowMs + pauseMs).toISOString(),
    lastError: error,
    dropped: box.dropped + box.notices.length - notices.length,
  };
}

/** Milliseconds until the channel may be told something; null where there is nothing to tell. */
export function waitMs({ notices, nextAt }: Outbox, nowMs: number): number | null {
  if (notices.length === 0) return null;
  return nextAt === null ? 0 : Math.max(0, Date.parse(nextAt) - nowMs);
}
