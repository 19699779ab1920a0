import type { Problem } from '../../../domain/backup.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import type { JournalBegin, JournalChapter, JournalEntry, JournalKind } from '../../../domain/journal.ts';
import type { RepositoryContext } from '../../context.ts';
import { epochName, epochPrefix, type EpochPlace } from '../journal-keys.ts';
import { damaged } from '../signed-document.ts';

/** Where a document lies, and as what. */
export interface Seat {
  readonly place: EpochPlace;
  readonly key: string;
}

export interface ChapterSeat extends Seat {
  readonly sequence: number;
  /** Undefined where the chapter before it could not be read. */
  readonly previousSha256: string | undefined;
}

/** As PostgreSQL and Redis spell them. */
const POSITIONS: Record<JournalKind, RegExp> = { postgres: /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/, redis: /^\d{1,20}$/ };
const KINDS: Record<JournalKind, readonly JournalEntry['kind'][]> = {
  postgres: ['segment', 'piece', 'history'],
  redis: ['chunk'],
};

/** A genuine document in a wrong place is as wrong as a forged one. @throws LifeboatError JOURNAL_DAMAGED */
export function requireBegin(context: RepositoryContext, begin: JournalBegin, seat: Seat): void {
  requireHome(context, begin, seat);
  requirePosition(begin.from.at, seat);
}

/** As `requireBegin`; and it follows the chapter before it, and names nothing outside its epoch. */
export function requireChapter(context: RepositoryContext, chapter: JournalChapter, seat: ChapterSeat): void {
  const { place, key, sequence, previousSha256 } = seat;
  requireHome(context, chapter, seat);
  if (chapter.sequence !== sequence) throw damaged(key, `chapter ${chapter.sequence}, where ${sequence} follows`);
  if (previousSha256 !== undefined && chapter.previousSha256 !== previousSha256) {
    throw damaged(key, 'does not follow what stands before it');
  }
  requirePosition(chapter.durable.at, seat);
  for (const entry of chapter.entries) {
    if (!entry.key.startsWith(epochPrefix(place))) throw damaged(key, `names ${entry.key}, which is not of this epoch`);
    if (!KINDS[place.kind].includes(entry.kind)) throw damaged(key, `names a ${entry.kind} in a ${place.kind} journal`);
    if (entry.kind === 'history') continue;
    requirePosition(entry.from, seat);
    requirePosition(entry.to, seat);
  }
}

function requireHome(context: RepositoryContext, document: JournalBegin | JournalChapter, { place, key }: Seat): void {
  const { kind, history, epoch, repositoryId, group } = document;
  if (repositoryId !== context.id || group !== context.group) throw damaged(key, 'of another repository or group');
  if (kind !== place.kind || history !== place.history || epoch !== place.epoch) {
    throw damaged(key, `it is of ${kind}/${history}/${epoch}`);
  }
}

function requirePosition(at: string, { place, key }: Seat): void {
  if (!POSITIONS[place.kind].test(at)) throw damaged(key, `${JSON.stringify(at)} is no position of ${place.kind}`);
}

/** Damage becomes a problem; a store that cannot be read says nothing about the journal and stays an error. */
export function problemOf(place: EpochPlace, key: string, error: unknown): Problem {
  const damage = error instanceof LifeboatError && /^(JOURNAL|OBJECT|KEY)_/.test(error.code);
  if (!damage) throw error;
  return { backupId: epochName(place), key, code: error.code, message: error.message };
}
