import type { AlertKind } from './alert-kinds.ts';
import type { Severity } from './alert-terms.ts';

/** Something that is so now, and that somebody may have to act on. */
export interface Alert {
  /** `<kind>/<subject>`: the same trouble has the same key for as long as it lasts. */
  readonly key: string;
  readonly kind: AlertKind;
  readonly severity: Severity;
  /** One sentence without a full stop. */
  readonly summary: string;
  /** What to do. */
  readonly hint: string;
  /** Short facts by name; never a secret. */
  readonly facts: Readonly<Record<string, string>>;
  /** Since when it is so, as far as that is known; ISO 8601. */
  readonly since: string;
  /** It was over when it was found: it is told once, and is never active. */
  readonly isOver?: true;
}

/** An alert that was found before, and may have been told. */
export interface ActiveAlert extends Alert {
  /** When it was first found, ISO 8601; with the key it names this occurrence. */
  readonly foundAt: string;
  /** When people were told; null while it may yet pass by itself. */
  readonly firedAt: string | null;
  readonly lastToldAt: string | null;
  readonly reminders: number;
}

/** What people are told of an alert. */
export interface Notice {
  /** The same for every attempt to tell it. */
  readonly id: string;
  /** `pass`: it was over before it could be told; `test`: somebody tries a channel. */
  readonly state: 'fire' | 'remind' | 'resolve' | 'pass' | 'test';
  readonly at: string;
  readonly group: string;
  readonly alert: Alert;
  /** Names the occurrence: all notices of one have it in common. */
  readonly occurrence: string;
}
