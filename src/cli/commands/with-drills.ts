import type { DrillManager } from '../../client/drill-manager.ts';
import type { CommandContext } from '../command.ts';
import { withClient } from './with-client.ts';

/** Gives `work` a manager of drills on an open connection. */
export async function withDrills<T>(context: CommandContext, work: (manager: DrillManager) => Promise<T>): Promise<T> {
  return withClient(context, async (opened) => {
    const { createDrillManager } = await import('../../client/drill-manager.ts');
    return work(createDrillManager(opened));
  });
}
