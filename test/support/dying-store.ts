import type { ObjectStore } from '../../src/storage/object-store.ts';

/** Dies before its n-th change, and with it every one after it. */
export function dyingAfter(store: ObjectStore, changes: number): ObjectStore {
  let left = changes;
  const live = async <T>(work: () => Promise<T>): Promise<T> => {
    if (left <= 0) throw new Error('killed');
    left -= 1;
    return work();
  };
  return {
    ...store,
    put: async (...args) => live(() => store.put(...args)),
    remove: async (key) => live(() => store.remove(key)),
    removeLeftovers: async (...args) => live(() => store.removeLeftovers(...args)),
  };
}
