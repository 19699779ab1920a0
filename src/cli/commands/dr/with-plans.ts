import type { DisasterRecoveryManager } from '../../../client/disaster-recovery-manager.ts';
import type { CommandContext } from '../../command.ts';
import { withClient } from '../with-client.ts';

/** Gives `work` a manager of recovery plans on an open connection. */
export async function withPlans<T>(
  context: CommandContext,
  work: (manager: DisasterRecoveryManager) => Promise<T>,
): Promise<T> {
  return withClient(context, async (opened) => {
    const [{ createDisasterRecoveryManager }, { openPlans }] = await Promise.all([
      import('../../../client/disaster-recovery-manager.ts'),
      import('../../../config/plans/plan-library.ts'),
    ]);
    return work(createDisasterRecoveryManager(opened, openPlans(opened.loaded.config)));
  });
}
