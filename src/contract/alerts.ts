import type { ActiveAlert, Notice } from '../domain/alerts/alert.ts';
import type { AlertArea } from '../domain/alerts/alert-kinds.ts';
import type { Delivery } from '../domain/alerts/next-notifications.ts';
import type { Outboxes } from '../domain/alerts/outbox.ts';
import type { RunMemory } from '../domain/alerts/runs-seen.ts';
import type { Requested } from './messages.ts';

/** All that is known from one look to the next; small enough for a history, and without secrets. */
export interface AlertsMemory {
  readonly runs: RunMemory;
  readonly active: readonly ActiveAlert[];
  /** When targets, drills and plans were looked at last, which takes longer; ISO 8601. */
  readonly slowLookAt: string | null;
  /** There was a repository: where none is, it is gone. */
  readonly hadRepository: boolean;
}

export interface AlertsInput extends Requested {
  /** Of an earlier run; null at the very first. */
  readonly state: AlertsState | null;
  /** Until a look has said it, milliseconds. */
  readonly everyMs: number;
}

export interface AlertsState {
  readonly memory: AlertsMemory | null;
  readonly outboxes: Outboxes;
  /** When the last look was over; null before one was. */
  readonly lookedAt: string | null;
}

export interface AlertsLook {
  readonly memory: AlertsMemory;
  readonly deliveries: readonly Delivery[];
  readonly unseen: readonly UnseenArea[];
  readonly at: string;
  /** Until the next look, milliseconds. */
  readonly everyMs: number;
}

/** What could not be looked at, and why: what is known of it is as old as the look before. */
export interface UnseenArea {
  readonly area: AlertArea;
  readonly message: string;
}

/** How alerts stand, for people and programs. */
export interface AlertsView {
  /** When it was looked last; null before that. */
  readonly lookedAt: string | null;
  /** Why the last look came to nothing; null where it did not. */
  readonly problem: string | null;
  readonly unseen: readonly UnseenArea[];
  /** Those that were told or will be, the worst first. */
  readonly alerts: readonly ActiveAlert[];
  /** What channels have yet to be told. */
  readonly channels: readonly {
    readonly name: string;
    readonly pending: number;
    readonly dropped: number;
    readonly lastError: string | null;
    /** When it is tried again, ISO 8601; null: now, or never. */
    readonly nextAt: string | null;
  }[];
}

export interface TestChannelInput extends Requested {
  readonly channel: string;
}

/** Of alerts; task queue `control`. */
export interface AlertsControl {
  /**
   * Looks at everything, judges it, and says what people are told. Changes nothing; repeated it says the same for what it is given. What cannot be seen is no
   * error of it.
   */
  lookForAlerts(input: { memory: AlertsMemory | null; all: boolean }): Promise<AlertsLook>;
  /** Tells one channel. Repeated it tells again, under the same id. NOTIFICATION_FAILED, NOTIFICATION_UNAVAILABLE */
  tellChannel(input: { channel: string; notice: Notice }): Promise<void>;
}
