import type { DrillManager } from '../../client/drill-manager.ts';
import type { CommandContext } from '../command.ts';
import { openClient } from './open-client.ts';

/** Gives `work` a manager of drills on an open connection. */
export async function withDrills<T>(context: CommandContext, work: (manager: DrillManager) => Promise<T>): Promise<T> {
  const opened = await openClient(context);
  try {
    const { createDrillManager } = await import('../../client/drill-manager.ts');
    const { connection } = opened.client;
    return await connection.withAbortSignal(context.signal, () => work(createDrillManager(opened)));
  } catch (error) {
    throw context.signal.aborted ? context.signal.reason : error;
  } finally {
    await opened.close();
  }
}
