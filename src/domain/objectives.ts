/** What a restore achieved, against which objectives are held. */
export interface Achieved {
  /** From the start of the run until everything was back and verified, milliseconds. */
  readonly rtoMs: number;
  /** From the recovery point to the start of the run: the age of what came back, milliseconds; never below 0. */
  readonly rpoMs: number;
}

export function achieved(times: { startedAt: Date; finishedAt: Date; recoveryPoint: string }): Achieved {
  return {
    rtoMs: times.finishedAt.getTime() - times.startedAt.getTime(),
    rpoMs: Math.max(0, times.startedAt.getTime() - Date.parse(times.recoveryPoint)),
  };
}
