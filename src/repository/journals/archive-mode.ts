import type { JournalBegin } from '../../domain/journal.ts';

/** Attribute of an epoch that single processes add to, one file each, instead of one writer that stays. */
export const ARCHIVE_MODE = 'archive';

export function isArchive({ attributes }: Pick<JournalBegin, 'attributes'>): boolean {
  return attributes['mode'] === ARCHIVE_MODE;
}
