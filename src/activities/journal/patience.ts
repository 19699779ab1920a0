import { setTimeout as delay } from 'node:timers/promises';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';

/** Errors of a store that is away for a while: a stale mount, a full disk. Others are no better a second later. */
const AWAY: readonly string[] = ['STORE_IO', 'STORE_FULL', 'STORE_READ_ONLY', 'REPOSITORY_MISSING'];
const PAUSE_MS = 1_000;
/** Then the attempt ends, is seen as failed, and another one begins; its link to the server was kept until here. */
const PATIENCE_MS = 300_000;

/**
 * Calls again while the store is away. A server does not repeat for ever what was not confirmed: to leave it for a store that is
 * back in a minute may cost a gap, to wait costs only memory or the spill file, which are bounded.
 */
export async function patiently<T>({ signal, onProgress }: Operation, call: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof LifeboatError) || !AWAY.includes(error.code) || Date.now() > deadline) throw error;
      onProgress({ phase: 'waiting for the store', object: error.code, bytes: 0, items: tries });
      await delay(PAUSE_MS, undefined, { signal });
    }
  }
}
