import { explainLockTimeout } from './lock-timeout.ts';
import type { Session } from './session.ts';

/** LOCK TABLE names this many tables at once. */
const LOCK_BATCH = 200;
/** Where nothing says otherwise: longer than a migration that is in order, well short of a stall. */
const DEFAULT_TIMEOUT_MS = 60_000;
/** The setting is an int of milliseconds, and 0 would mean for ever. */
const TIMEOUT_RANGE_MS = [1, 2 ** 31 - 1] as const;

/**
 * Locks tables in ACCESS SHARE, inside the session's open transaction, each within `timeoutMs` (undefined: a minute). The
 * names are quoted and have their schema. A lock that is not granted in time is an error that names who stands in the way,
 * and ends the transaction.
 * @throws LifeboatError POSTGRES_LOCK_TIMEOUT
 */
export async function lockTables(
  session: Session,
  locks: { readonly doing: string; readonly tables: readonly string[]; readonly timeoutMs?: number | undefined },
): Promise<void> {
  const { doing, tables, timeoutMs: asked = DEFAULT_TIMEOUT_MS } = locks;
  const timeoutMs = Math.min(Math.max(asked, TIMEOUT_RANGE_MS[0]), TIMEOUT_RANGE_MS[1]);
  await session.query(`SET LOCAL lock_timeout = ${timeoutMs}`);
  try {
    for (let start = 0; start < tables.length; start += LOCK_BATCH) {
      const names = tables.slice(start, start + LOCK_BATCH).map((table) => `ONLY ${table}`);
      await session.query(`LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`);
    }
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined); // A lost connection has ended the transaction as well.
    throw await explainLockTimeout(session, error, { doing, timeoutMs, tables });
  }
  // What is read later in this transaction has bounds of its own.
  await session.query('SET LOCAL lock_timeout = 0');
}
