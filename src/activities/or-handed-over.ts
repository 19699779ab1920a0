import { Context } from '@temporalio/activity';

/** A worker that is told to end hands over at once: it would be missed only after the heartbeat's time-out otherwise. */
export async function orHandedOver<T>(handedOver: T, follow: () => Promise<T>): Promise<T> {
  try {
    return await follow();
  } catch (error) {
    if (Context.current().cancellationDetails?.workerShutdown !== true) throw error;
    return handedOver;
  }
}
