/** A message to people. */
export interface Message {
  readonly title: string;
  readonly text: string;
  /** Somebody has to act: a recovery has failed, or waits. */
  readonly isAlarm: boolean;
  /** Short facts by name; never a secret. */
  readonly facts: Readonly<Record<string, string>>;
}
