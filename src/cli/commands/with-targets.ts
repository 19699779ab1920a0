import type { CrossRegionManager } from '../../client/cross-region-manager.ts';
import type { CommandContext } from '../command.ts';
import { withClient } from './with-client.ts';

/** Gives `work` a manager of copies on an open connection. */
export async function withTargets<T>(
  context: CommandContext,
  work: (manager: CrossRegionManager) => Promise<T>,
): Promise<T> {
  return withClient(context, async (opened) => {
    const { createCrossRegionManager } = await import('../../client/cross-region-manager.ts');
    return work(createCrossRegionManager(opened));
  });
}
