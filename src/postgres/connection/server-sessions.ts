import { randomBytes } from 'node:crypto';
import type { PostgresTarget } from '../postgres.ts';
import { withMaintenance } from './maintenance.ts';

/** A name that only the sessions of one operation have. */
export function createSessionName(work: string): string {
  return `lifeboat ${work} ${randomBytes(6).toString('hex')}`;
}

/** How long a server may take to end them; beyond it the sessions end at their next write. */
const END_LIMIT_MS = 10_000;

/**
 * Ends the sessions that killed client tools left on the server: one that waits for a lock does not notice that its
 * client is gone. Never rejects: it runs after a failure, which is what must be reported.
 */
export async function endSessions(target: PostgresTarget, applicationName: string): Promise<void> {
  const request = { doing: 'end sessions', about: [], signal: AbortSignal.timeout(END_LIMIT_MS) };
  const sql =
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()';
  await withMaintenance(target, request, (session) => session.query(sql, [applicationName])).catch(() => undefined);
}
