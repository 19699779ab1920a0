import type { DisasterRecoveryManager } from '../../../client/disaster-recovery-manager.ts';
import type { CommandContext } from '../../command.ts';
import { openClient } from '../open-client.ts';

/** Gives `work` a manager of recovery plans on an open connection. */
export async function withPlans<T>(
  context: CommandContext,
  work: (manager: DisasterRecoveryManager) => Promise<T>,
): Promise<T> {
  const opened = await openClient(context);
  try {
    const [{ createDisasterRecoveryManager }, { openPlans }] = await Promise.all([
      import('../../../client/disaster-recovery-manager.ts'),
      import('../../../config/plans/plan-library.ts'),
    ]);
    const manager = createDisasterRecoveryManager(opened, openPlans(opened.loaded.config));
    const { connection } = opened.client;
    return await connection.withAbortSignal(context.signal, () => work(manager));
  } catch (error) {
    throw context.signal.aborted ? context.signal.reason : error;
  } finally {
    await opened.close();
  }
}
