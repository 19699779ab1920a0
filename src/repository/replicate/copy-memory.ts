import type { JournalBegin } from '../../domain/journal.ts';
import { isArchive } from '../journals/archive-mode.ts';
import { type EpochPlace, epochName } from '../journals/journal-keys.ts';

/**
 * What a run that copies journals again and again remembers between two passes: so a pass costs what is new, and not what ever was. It
 * knows nothing when it begins, and then looks at everything once.
 */
export interface CopyMemory {
  /** True once: nothing has been looked at yet. */
  begin(): boolean;
  isClaimed(key: string): boolean;
  claimed(key: string): void;
  /** Nothing can be added any more, and all of it is at the target. */
  isFinished(place: EpochPlace): boolean;
  /** Is not to be copied: the target's own rules removed it. */
  removed(place: EpochPlace): void;
  /** Objects of the chapter that is still written which are at the target. */
  hasEntry(place: EpochPlace, key: string): boolean;
  entries(place: EpochPlace, keys: readonly string[]): void;
  copied(place: EpochPlace, seen: { readonly isNewest: boolean; readonly begin: JournalBegin }): void;
}

export function createCopyMemory(): CopyMemory {
  let isNew = true;
  const claims = new Set<string>();
  const behind = new Set<string>();
  const finished = new Set<string>();
  const entries = new Map<string, ReadonlySet<string>>();
  return {
    begin() {
      const wasNew = isNew;
      isNew = false;
      return wasNew;
    },
    isClaimed: (key) => claims.has(key),
    claimed: (key) => void claims.add(key),
    isFinished: (place) => finished.has(epochName(place)),
    removed: (place) => void finished.add(epochName(place)),
    hasEntry: (place, key) => entries.get(epochName(place))?.has(key) === true,
    entries: (place, keys) => void entries.set(epochName(place), new Set(keys)),
    copied(place, { isNewest, begin }) {
      // Processes that archive single files add to an epoch whatever came after it.
      if (isNewest || isArchive(begin)) return;
      const name = epochName(place);
      // Its writer learns at its next commit that it is behind: what that one added is copied by one more pass.
      if (behind.has(name)) finished.add(name);
      if (finished.has(name)) entries.delete(name);
      behind.add(name);
    },
  };
}
