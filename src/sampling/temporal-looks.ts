import type { Client } from '@temporalio/client';
import { connectClient, type TemporalAddress } from '../temporal/connection.ts';

/** Questions to Temporal that are asked again and again, over one connection. */
export interface TemporalLooks {
  /** @throws LifeboatError TEMPORAL_UNREACHABLE, and what `look` throws */
  use<T>(signal: AbortSignal, look: (client: Client) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

type Opened = Awaited<ReturnType<typeof connectClient>>;

/**
 * A connection that has failed is given up, and the next question opens another: one that was cut off tries again by itself ever more rarely, so
 * that a server that is back would be noticed minutes late.
 */
export function createTemporalLooks(where: TemporalAddress, identity: string): TemporalLooks {
  let opened: Promise<Opened> | undefined;
  const giveUp = async (failed: Promise<Opened> | undefined): Promise<void> => {
    if (opened === failed) opened = undefined;
    // One that never opened has nothing to close; one that cannot be closed is gone already.
    await failed?.then(async ({ close }) => close()).catch(() => undefined);
  };
  return {
    async use(signal, look) {
      opened ??= connectClient(where, identity, { retries: false });
      const mine = opened;
      try {
        const { client } = await mine;
        return await client.connection.withAbortSignal(signal, async () => look(client));
      } catch (error) {
        await giveUp(mine);
        throw error;
      }
    },
    close: async () => giveUp(opened),
  };
}
