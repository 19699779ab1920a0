import { setTimeout as delay } from 'node:timers/promises';
import { LifeboatError } from '../domain/errors.ts';
import type { Operation } from '../domain/operation.ts';

/** Targets that this process copies to now. */
const busy = new Set<string>();
const LOOK_AGAIN_MS = 500;

/**
 * Copies to a target one after the other: each run brings all that is missing, so that two at once would send the same bytes twice, and a
 * slow target would never catch up. Across workers only bytes are lost by it: the store decides who is first.
 * @throws LifeboatError TARGET_BUSY at once, unless `wait`
 */
export async function oneCopyAtATime<T>(
  { target, wait }: { readonly target: string; readonly wait: boolean },
  operation: Operation,
  work: () => Promise<T>,
): Promise<T> {
  for (let looks = 1; busy.has(target); looks += 1) {
    if (!wait) throw new LifeboatError('TARGET_BUSY', `copy to ${target}: another copy to it goes on`);
    operation.onProgress({ phase: 'waiting for a copy that goes on', bytes: 0, items: looks });
    await delay(LOOK_AGAIN_MS, undefined, { signal: operation.signal });
  }
  busy.add(target);
  try {
    return await work();
  } finally {
    busy.delete(target);
  }
}
