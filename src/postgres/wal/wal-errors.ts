import { LifeboatError, type ErrorCode } from '../../domain/errors.ts';
import { fromPostgresError, sqlState } from '../connection/sql-errors.ts';

/** What these say in a conversation about WAL. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_SQLSTATE: Readonly<Record<string, ErrorCode>> = {
  '58P01': 'JOURNAL_WAL_REMOVED',
  '55006': 'JOURNAL_SLOT_BUSY',
  '55000': 'JOURNAL_SLOT_LOST',
  '42704': 'JOURNAL_SLOT_LOST',
};

/** An error of a replication command or stream as ours. */
export function fromWalError(doing: string, error: unknown): LifeboatError {
  const ours = fromPostgresError(doing, error, 'working');
  const sqlstate = sqlState(error);
  const code = sqlstate === undefined ? undefined : BY_SQLSTATE[sqlstate];
  if (code === undefined || error instanceof LifeboatError) return ours;
  return new LifeboatError(code, ours.message, { cause: error, details: ours.details });
}
