/** Where a replay ends: an instant, or a position of the component itself. */
export type ReplayTarget = { readonly atMs: number } | { readonly position: string };

/** What a restore to an instant replays; found in the recovery window before anything is touched. */
export interface ReplayPlan {
  readonly postgres: {
    /** The backup whose physical base is replayed on. */
    readonly baseId: string;
    readonly target: ReplayTarget;
  } | null;
  readonly redis: {
    /** The backup whose snapshot the stream goes on from. */
    readonly snapshotId: string;
    readonly target: ReplayTarget;
  } | null;
}

/** Where a component stood when the replay ended. */
export interface ReplayedPosition {
  /** LSN or offset. */
  readonly position: string;
  readonly timeline: number;
  /** Time of the last transaction in it, ISO 8601; null where there was none after the base. */
  readonly at: string | null;
}

/** Where both components ended, and how far apart their last transactions are; null where that cannot be told. */
export interface ReplayedPositions {
  readonly postgres: ReplayedPosition | null;
  readonly redis: ReplayedPosition | null;
  readonly distanceMs: number | null;
}

export function distanceOf(postgres: ReplayedPosition | null, redis: ReplayedPosition | null): ReplayedPositions {
  const [a, b] = [postgres?.at, redis?.at].map((at) => (at == null ? undefined : Date.parse(at)));
  return { postgres, redis, distanceMs: a === undefined || b === undefined ? null : Math.abs(a - b) };
}
