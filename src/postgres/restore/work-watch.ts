import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresTarget } from '../postgres.ts';
import { withSession } from '../connection/session.ts';

const LOOK_EVERY_MS = 2_000;

/** Sessions of this name that compute or do I/O; waiting for a lock or for us is not work. */
const WORKING = `
  SELECT count(*)::int AS working,
    (SELECT coalesce(nullif(p.index_relid, 0), p.relid)::regclass::text FROM pg_stat_progress_create_index p LIMIT 1) AS index
  FROM pg_stat_activity WHERE application_name = $1 AND state = 'active' AND coalesce(wait_event_type, '') NOT IN ('Lock', 'Client')`;

/**
 * Reports every two seconds that the server works, and on which index: while it builds indexes and checks foreign keys, no
 * byte passes through here. Resolves when the signal aborts.
 */
export async function watchWork(
  target: PostgresTarget,
  watch: {
    readonly database: string;
    readonly applicationName: string;
    readonly signal: AbortSignal;
    onWork(object: string): void;
  },
): Promise<void> {
  const { database, signal } = watch;
  try {
    await withSession(target, { doing: `watch the restore into ${database}`, database, signal }, async (session) => {
      for (;;) {
        await sleep(LOOK_EVERY_MS, undefined, { signal });
        const { working, index } = await session.one<{ working: number; index: string | null }>(WORKING, [
          watch.applicationName,
        ]);
        if (working > 0) watch.onWork(index ?? 'constraints');
      }
    });
  } catch {
    // Fallback: only bytes are reported; a long index build then looks like a stall to the caller.
  }
}
