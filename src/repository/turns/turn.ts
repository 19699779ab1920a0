/** A time in which nobody else changes a store: of all processes that ask for one, on whatever host, one has it. */
export interface Turn {
  /** Aborted, with TARGET_TURN_LOST, when it can no longer be relied on. */
  readonly signal: AbortSignal;
  /** Asks the clocks alone. @throws LifeboatError TARGET_TURN_LOST */
  requireHeld(): void;
  /** Asks the store as well. @throws LifeboatError TARGET_TURN_LOST, STORE_* */
  confirm(): Promise<void>;
  end(): Promise<void>;
}

export interface TurnTimes {
  readonly renewMs: number;
  /** How long a holder relies on a turn since it began to renew it. */
  readonly trustMs: number;
  /** How long others see no renewal before they take it. What lies between is for requests that are on their way. */
  readonly takeMs: number;
}
