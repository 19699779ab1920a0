import type { Problem } from '../../../domain/backup.ts';
import type { JournalEpoch, JournalKind } from '../../../domain/journal.ts';
import type { RepositoryContext } from '../../context.ts';
import {
  claimsPrefix,
  epochPrefix,
  journalBeginKey,
  kindPrefix,
  openChapterKey,
  placeOf,
  reachOfKey,
} from '../journal-keys.ts';
import type { ObjectHead } from '../../../storage/object-store.ts';
import type { ReadEpochs } from './read-catalog.ts';
import type { ReadEpoch } from './read-chapters.ts';
import { segmentBytesOf } from '../write/entry-store.ts';

const CHAPTER = /\/chapter-(\d{6})\.json$/;
const CLAIM = /^\d{8}\.json$/;

/** What a catalog says about the keys of a journal. */
export interface KnownKeys {
  owns(key: string): boolean;
}

/** Objects below a journal that nothing names. A writer may be at work: what is new since is asked about a second time. */
export async function findUnknown(
  { store }: RepositoryContext,
  kind: JournalKind,
  { first, look }: { readonly first: KnownKeys; readonly look: () => Promise<KnownKeys> },
): Promise<Problem[]> {
  const strange: ObjectHead[] = [];
  for await (const head of store.list(kindPrefix(kind))) if (!first.owns(head.key)) strange.push(head);
  const second = strange.length === 0 ? first : await look();
  return strange
    .filter(({ key }) => !second.owns(key))
    .map(({ key, sizeBytes }) => {
      const message = `${key}: ${sizeBytes} bytes that no chapter names`;
      return { backupId: folderOf(key).slice(0, -1), key, code: 'OBJECT_UNEXPECTED', message };
    });
}

/**
 * A writer that dies between `put` and `commit` leaves objects that reach beyond what its epoch says is durable: they were
 * confirmed to nobody, and the next epoch has their bytes again. Those are no problem, in whatever epoch.
 */
export function knownKeys(kind: JournalKind, { epochs, problems, removed }: ReadEpochs): KnownKeys {
  const goingFolders = new Set(removed.map(epochPrefix));
  const owners = new Map(epochs.map((read) => [epochPrefix(read.epoch.begin), ownerOf(read)]));
  const named = new Set(problems.map(({ key }) => key));
  return {
    owns(key) {
      const folder = folderOf(key);
      if (folder === claimsPrefix(kind)) return CLAIM.test(key.slice(folder.length));
      // Of an epoch whose begin.json is wrong nothing can be said; that file is named.
      if (goingFolders.has(folder)) return true;
      return named.has(key) || named.has(`${folder}begin.json`) || owners.get(folder)?.owns(key) === true;
    },
  };
}

function ownerOf({ epoch, chapters }: ReadEpoch): KnownKeys {
  const { begin, entries } = epoch;
  const keys = new Set([journalBeginKey(begin), openChapterKey(begin), ...entries.map(({ key }) => key)]);
  return {
    owns(key) {
      const chapter = CHAPTER.exec(key);
      if (chapter !== null) return Number(chapter[1]) <= chapters;
      return keys.has(key) || isLeftover(epoch, key);
    },
  };
}

function isLeftover({ begin, durable }: JournalEpoch, key: string): boolean {
  const reach = reachOfKey(key, segmentBytesOf(begin));
  if (reach === undefined || reach.timeline < durable.timeline) return false;
  if (reach.timeline > durable.timeline || reach.at === null) return true;
  return placeOf(begin.kind, reach.at) >= placeOf(begin.kind, durable.at);
}

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}
