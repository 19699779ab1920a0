import type { Notice } from './alerts/alert.ts';

/** A message to people. */
export interface Message {
  readonly title: string;
  readonly text: string;
  /** Somebody has to act. */
  readonly isAlarm: boolean;
  /** Short facts by name; never a secret. */
  readonly facts: Readonly<Record<string, string>>;
  /** The event of `notifications` that it is told under; `recovery` where nothing says otherwise. */
  readonly event?: string;
  /** Of an alert; absent in what a step of a plan tells. */
  readonly notice?: Notice;
}
