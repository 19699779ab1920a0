/** Where a worker stands with Temporal: `waiting` for its first answer, `polling`, or `ended`. */
export type WorkerPhase = 'waiting' | 'polling' | 'ended';

/** Whether something answers the worker. */
export interface Answering {
  readonly up: boolean;
}

export interface Readiness {
  /** It takes work. */
  readonly ready: boolean;
  /**
   * `degraded`: it takes work, and something that the work may need does not answer; `waiting`: Temporal has not answered yet;
   * `disconnected`: it did, and does not now.
   */
  readonly state: 'ready' | 'degraded' | 'waiting' | 'disconnected' | 'ended';
}

/**
 * Whether a worker takes work. A database or store that is away does not make it unready: what needs neither goes on, a restore may be what
 * is wanted, and whoever restarted the worker for it would end that restore.
 * @param temporal null before it was first looked at
 */
export function judgeReadiness(
  phase: WorkerPhase,
  { temporal, others }: { readonly temporal: Answering | null; readonly others: readonly Answering[] },
): Readiness {
  if (phase !== 'polling') return { ready: false, state: phase };
  if (temporal?.up === false) return { ready: false, state: 'disconnected' };
  return { ready: true, state: others.every(({ up }) => up) ? 'ready' : 'degraded' };
}
