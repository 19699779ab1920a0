import type { JournalKind } from '../../domain/journal.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { claimsPrefix, epochOf, historyPrefix, isHistory, kindPrefix, type EpochPlace } from './journal-keys.ts';

/** Every epoch under which something lies, lowest number first. */
export async function listEpochs(store: ObjectStore, kind: JournalKind): Promise<EpochPlace[]> {
  const places: EpochPlace[] = [];
  for await (const history of store.folders(kindPrefix(kind))) {
    if (!isHistory(kind, history)) continue;
    for await (const folder of store.folders(historyPrefix(kind, history))) {
      const epoch = epochOf(folder);
      if (epoch !== undefined) places.push({ kind, history, epoch });
    }
  }
  return places.toSorted((a, b) => a.epoch - b.epoch);
}

/** Highest number that is taken, over all histories of a kind; 0 before the first. */
export async function newestEpoch(store: ObjectStore, kind: JournalKind): Promise<number> {
  let newest = 0;
  for await (const { key } of store.list(claimsPrefix(kind))) {
    newest = Math.max(newest, epochOf(key.slice(claimsPrefix(kind).length, -'.json'.length)) ?? 0);
  }
  // Somebody may have copied the epochs without their numbers.
  return Math.max(newest, (await listEpochs(store, kind)).at(-1)?.epoch ?? 0);
}
