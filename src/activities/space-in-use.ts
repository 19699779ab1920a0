import { REPOSITORY_KEY } from '../repository/layout.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/**
 * The space of a store that holds a repository; null for any other, and for one that cannot tell. A folder without one may be a volume that is not
 * mounted: to ask for its space would make it, and a look makes nothing.
 */
export async function spaceInUse(
  store: ObjectStore,
): Promise<{ readonly freeBytes: number; readonly totalBytes: number } | null> {
  if ((await store.head(REPOSITORY_KEY)) === undefined) return null;
  return (await store.space?.()) ?? null;
}
