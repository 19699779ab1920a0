import type { CrossRegionManager } from '../../client/cross-region-manager.ts';
import type { CommandContext } from '../command.ts';
import { openClient } from './open-client.ts';

/** Gives `work` a manager of copies on an open connection. */
export async function withTargets<T>(
  context: CommandContext,
  work: (manager: CrossRegionManager) => Promise<T>,
): Promise<T> {
  const opened = await openClient(context);
  try {
    const { createCrossRegionManager } = await import('../../client/cross-region-manager.ts');
    const { connection } = opened.client;
    return await connection.withAbortSignal(context.signal, () => work(createCrossRegionManager(opened)));
  } catch (error) {
    throw context.signal.aborted ? context.signal.reason : error;
  } finally {
    await opened.close();
  }
}
