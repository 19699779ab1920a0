import type { CommandContext } from '../command.ts';
import { openClient, type OpenedClient } from './open-client.ts';

/** Gives `work` an open connection. A question that nobody answers ends with Ctrl-C as well. */
export async function withClient<T>(context: CommandContext, work: (opened: OpenedClient) => Promise<T>): Promise<T> {
  const opened = await openClient(context);
  try {
    return await opened.client.connection.withAbortSignal(context.signal, () => work(opened));
  } catch (error) {
    throw context.signal.aborted ? context.signal.reason : error;
  } finally {
    await opened.close();
  }
}
