import type { StreamCutMessage } from '../../contract/activities.ts';
import type { Check } from '../../domain/backup.ts';
import { distanceOf, type ReplayedPosition } from '../../domain/replay.ts';
import { achieved } from '../../domain/objectives.ts';
import type { RestorePlan, RestoreRecord, RestoreResult } from '../../contract/messages.ts';

export interface RestoreOutcome {
  readonly plan: RestorePlan;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  /** Absent in a dry run. */
  readonly done?: {
    readonly record: RestoreRecord;
    readonly rolesCreated: readonly string[];
    readonly redis: { readonly keys: number; readonly method: string } | null;
    readonly checks: readonly Check[];
    /** Where a replay ended in PostgreSQL and in Redis. */
    readonly position: ReplayedPosition | undefined;
    readonly cut: StreamCutMessage | undefined;
  };
}

/** The answer of a restore, from what was planned and what was done. */
export function restoreResult({ plan, startedAt, finishedAt, done }: RestoreOutcome): RestoreResult {
  const { restoreId, recoveryPoint } = plan;
  const times = achieved({ startedAt, finishedAt, recoveryPoint: recoveryPoint.time });
  if (done === undefined) {
    const restored = { postgres: null, redis: null };
    return { restoreId, dryRun: true, plan, restored, recoveryPoint, checks: [], ...times, undo: null };
  }
  const { postgres, redis, expiresAt } = done.record;
  const replacedAnything = Boolean(postgres?.replaced ?? redis?.savedAs);
  return {
    restoreId,
    dryRun: false,
    plan,
    restored: {
      postgres: postgres && { ...postgres, rolesCreated: done.rolesCreated },
      redis: done.redis && {
        keys: done.redis.keys,
        method: done.redis.method,
        savedAs: redis?.savedAs ?? null,
        ...(plan.redis?.target === undefined ? {} : { target: plan.redis.target }),
      },
    },
    recoveryPoint,
    positions: positionsOf(done),
    checks: done.checks,
    ...times,
    undo: replacedAnything ? { command: `lifeboat restore undo ${restoreId}`, expiresAt } : null,
  };
}

/** What a restore to an instant came to, in each component. */
function positionsOf({
  position,
  cut,
}: NonNullable<RestoreOutcome['done']>): NonNullable<RestoreResult['positions']> | null {
  if (position === undefined && cut === undefined) return null;
  const redis = cut && { position: String(cut.offset), timeline: 0, at: new Date(cut.timeMs).toISOString() };
  return distanceOf(position ?? null, redis ?? null);
}
