import { Context } from '@temporalio/activity';
import type { FollowEnd, JournalActivities } from '../../contract/journal.ts';
import type { Operation } from '../../domain/operation.ts';
import type { Dependencies } from '../dependencies.ts';
import { requireNotLost } from '../lost-repository.ts';
import { withOperation } from '../operation.ts';
import { followPostgresWal } from './follow-postgres.ts';
import { followRedisStream } from './follow-redis.ts';

/** An attempt hands over after this time, well before its time-out, so that a run's history stays short. */
const HAND_OVER_MS = 12 * 3_600_000;

const deadline = (): number => Date.now() + HAND_OVER_MS;

export function createJournalActivities(deps: Dependencies): JournalActivities {
  const { settings } = deps;
  const following = (follow: (operation: Operation) => Promise<FollowEnd>): Promise<FollowEnd> =>
    orHandOver(() =>
      withOperation(settings, async (operation) => {
        await requireNotLost(deps);
        return follow(operation);
      }),
    );
  return {
    followPostgres: () =>
      following((operation) =>
        followPostgresWal(
          deps,
          { slot: settings.journal.slot, deadlineMs: deadline(), resumed: Context.current().info.attempt > 1 },
          operation,
        ),
      ),
    followRedis: () => following((operation) => followRedisStream(deps, { deadlineMs: deadline() }, operation)),
  };
}

/** A worker that is told to end hands over at once: it would be missed only after the heartbeat's time-out otherwise. */
async function orHandOver(follow: () => Promise<FollowEnd>): Promise<FollowEnd> {
  try {
    return await follow();
  } catch (error) {
    if (Context.current().cancellationDetails?.workerShutdown !== true) throw error;
    return { end: 'handed-over' };
  }
}
