import type { RepositoryContext, WriterContext } from '../context.ts';
import { requireRepository } from '../repository-file.ts';
import { archiveFile } from './archive/archive-file.ts';
import type { JournalReader, Journals } from './journals.ts';
import { openEpoch } from './write/open-epoch.ts';
import { readCatalog } from './read/read-catalog.ts';
import type { ChapterCache } from './read/read-chapters.ts';
import { type EpochKeys, readEntry } from './read/read-entry.ts';
import { verifyJournal } from './read/verify-journal.ts';

export function createJournalReader(context: RepositoryContext): JournalReader {
  const cache: ChapterCache = new Map();
  const keys: EpochKeys = new Map();
  return {
    catalog: async (kind) => {
      const catalog = await readCatalog(context, kind, cache);
      if (catalog.epochs.length === 0) await requireRepository(context, `read the journal of ${kind}`);
      return catalog;
    },
    read: (epoch, entry, operation) => readEntry(context, { epoch, entry, keys }, operation),
    // Nothing that was read before counts when it is asked what is there now.
    verify: async (kind, operation) => verifyJournal(context, kind, operation),
  };
}

export function createJournals(context: WriterContext): Journals {
  return {
    ...createJournalReader(context),
    open: async (request) => openEpoch(context, request),
    archive: async (file, how) => archiveFile(context, file, how),
  };
}
