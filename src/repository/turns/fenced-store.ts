import type { ObjectStore } from '../../storage/object-store.ts';
import { REMOVALS_PREFIX } from '../layout.ts';
import type { Turn } from './turn.ts';

/**
 * The same store for as long as a turn lasts: no change begins after it. Before what decides about a backup (its manifest, the record that it
 * was removed) the store itself is asked whose turn it is.
 */
export function fencedStore(store: ObjectStore, turn: Turn): ObjectStore {
  const { copyFrom } = store;
  const require = async (key: string): Promise<void> => {
    if (isDecisive(key)) await turn.confirm();
    else turn.requireHeld();
  };
  return {
    ...store,
    async put(key, body, options) {
      await require(key);
      return store.put(key, body, options);
    },
    async remove(key) {
      await require(key);
      await store.remove(key);
    },
    async removeLeftovers(prefix, olderThanMs) {
      turn.requireHeld();
      return store.removeLeftovers(prefix, olderThanMs);
    },
    ...(copyFrom && {
      async copyFrom(source, key, options) {
        await require(key);
        return copyFrom.call(store, source, key, options);
      },
    }),
  };
}

const isDecisive = (key: string): boolean => key.endsWith('/manifest.json') || key.startsWith(REMOVALS_PREFIX);
