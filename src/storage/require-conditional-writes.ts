import { LifeboatError } from '../domain/errors.ts';
import type { ObjectStore } from './object-store.ts';

/** Stays in the store, so that a look at it costs one refused request. */
export const LASTING_PROBE_KEY = 'probe/conditional-writes';
const PROBE = Buffer.from('written once, to see that it cannot be written twice\n');

/**
 * Asks the store for two first writes of one key. Everything that excludes two writers rests on the second being refused.
 * A store that may only be read passes: nothing is written there; a directory does it by `link`, which the contract tests prove.
 * @throws LifeboatError STORE_NOT_CONDITIONAL, STORE_*
 */
export async function requireConditionalWrites(store: ObjectStore): Promise<void> {
  if (!store.url.startsWith('s3:')) return;
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    const answer = await writeOnce(store);
    if (answer === 'refused') return;
  }
  throw new LifeboatError('STORE_NOT_CONDITIONAL', `open ${store.url}: two first writes of one key both succeeded`);
}

async function writeOnce(store: ObjectStore): Promise<'written' | 'refused'> {
  try {
    await store.put(LASTING_PROBE_KEY, PROBE, { ifNoneMatch: true });
    return 'written';
  } catch (error) {
    if (error instanceof LifeboatError && ['STORE_KEY_EXISTS', 'STORE_READ_ONLY'].includes(error.code))
      return 'refused';
    throw error;
  }
}
