import { LifeboatError } from '../../domain/errors.ts';
import type { JournalEpoch } from '../../domain/journal.ts';
import { compareLsn } from '../../domain/lsn.ts';
import type { RecoveryCatalog } from '../read-catalog.ts';

/**
 * The moment by which the WAL journal had that position, ms since 1970: Redis, which knows no positions, is brought to it. Where a promoted server
 * and the one before it both wrote it, the newest history counts, as it does for PostgreSQL. The present where PostgreSQL is restored and the
 * journal does not hold it: what can be had says its window.
 * @throws LifeboatError JOURNAL_TARGET_OUTSIDE when Redis alone is restored and no journal holds the position
 */
export function timeOfPosition(catalog: Pick<RecoveryCatalog, 'components' | 'postgres'>, lsn: string): number {
  const holders = catalog.postgres.flatMap((epoch) => holdersIn(epoch, lsn));
  const newest = holders.at(-1);
  if (newest !== undefined) {
    const { history, timeline } = newest;
    const same = holders.filter((holder) => holder.history === history && holder.timeline === timeline);
    // A whole segment ends later than the piece of it that brought the position.
    return Math.min(...same.map(({ toMs }) => toMs));
  }
  if (catalog.components.includes('postgres')) return Date.now();
  throw new LifeboatError('JOURNAL_TARGET_OUTSIDE', `no WAL journal holds position ${lsn}`, {
    details: { lsn },
    hint: 'Redis is brought to the moment at which the WAL journal had the position; name an instant with --to-time instead',
  });
}

function holdersIn(
  { begin, entries }: JournalEpoch,
  lsn: string,
): { readonly history: string; readonly timeline: number; readonly toMs: number }[] {
  return entries
    .filter(({ kind }) => kind === 'piece' || kind === 'segment')
    .filter(({ from, to }) => compareLsn(from, lsn) <= 0 && compareLsn(lsn, to) <= 0)
    .map(({ timeline, toMs }) => ({ history: begin.history, timeline, toMs }));
}
