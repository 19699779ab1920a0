import type { AlertManager } from '../../../client/alert-manager.ts';
import type { CommandContext } from '../../command.ts';
import { withClient } from '../with-client.ts';

/** Gives `work` a manager of alerts on an open connection. */
export async function withAlerts<T>(context: CommandContext, work: (manager: AlertManager) => Promise<T>): Promise<T> {
  return withClient(context, async (opened) => {
    const { createAlertManager } = await import('../../../client/alert-manager.ts');
    return work(createAlertManager(opened));
  });
}
