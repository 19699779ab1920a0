import type { ScheduleManager } from '../../../client/schedules/schedule-manager.ts';
import type { CommandContext } from '../../command.ts';
import { withClient } from '../with-client.ts';

/** Gives `work` a manager of schedules on an open connection. */
export async function withSchedules<T>(
  context: CommandContext,
  work: (manager: ScheduleManager) => Promise<T>,
): Promise<T> {
  return withClient(context, async (opened) => {
    const [{ createScheduleManager }, { configuredSchedules }] = await Promise.all([
      import('../../../client/schedules/schedule-manager.ts'),
      import('../../../config/schedules/schedule-definitions.ts'),
    ]);
    return work(createScheduleManager(opened, configuredSchedules(opened.loaded.config)));
  });
}
