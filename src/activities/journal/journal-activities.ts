import { Context } from '@temporalio/activity';
import type { FollowEnd, JournalActivities } from '../../contract/journal.ts';
import type { Operation } from '../../domain/operation.ts';
import type { Dependencies } from '../dependencies.ts';
import { requireNotLost } from '../lost-repository.ts';
import { orHandedOver } from '../or-handed-over.ts';
import { withOperation } from '../operation.ts';
import { followPostgresWal } from './follow-postgres.ts';
import { followRedisStream } from './follow-redis.ts';

/** An attempt hands over after this time, well before its time-out, so that a run's history stays short. */
const HAND_OVER_MS = 12 * 3_600_000;

const HANDED_OVER: FollowEnd = { end: 'handed-over' };

const deadline = (): number => Date.now() + HAND_OVER_MS;

export function createJournalActivities(deps: Dependencies): JournalActivities {
  const { settings } = deps;
  const following = (follow: (operation: Operation) => Promise<FollowEnd>): Promise<FollowEnd> =>
    orHandedOver(HANDED_OVER, () =>
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
