/** Keys remembered for sure; twice as many at most. About 20 MB with keys of 60 characters. */
const GENERATION_KEYS = 2 ** 16;

export interface RecentKeys {
  /** True when the key was added lately. */
  add(key: Buffer): boolean;
}

/**
 * Remembers the last keys of a scan. SCAN gives a key twice only when the table shrinks in between, and then only keys
 * of the buckets that fold into the one at hand (dictScan of Redis visits those one after the other): the latest ones.
 * So a bounded memory finds the repeats, unless a scan sees more than this many keys of which nearly all are deleted.
 */
export function createRecentKeys(generationKeys: number = GENERATION_KEYS): RecentKeys {
  let current = new Set<string>();
  let previous = new Set<string>();
  return {
    add(key) {
      const text = key.toString('latin1');
      if (current.has(text) || previous.has(text)) return true;
      current.add(text);
      if (current.size === generationKeys) {
        previous = current;
        current = new Set();
      }
      return false;
    },
  };
}
