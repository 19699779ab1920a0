import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresTarget } from '../postgres.ts';
import { withSession } from '../connection/session.ts';

const LOOK_EVERY_MS = 2_000;

/** Tables that the sessions of this name copy now. */
const COPIED = `
  SELECT p.relid::regclass::text AS name FROM pg_stat_progress_copy p JOIN pg_stat_activity a USING (pid)
  WHERE a.application_name = $1 AND p.relid <> 0 ORDER BY p.bytes_processed DESC LIMIT 1`;

/**
 * Says every two seconds which table is being copied, until the signal aborts. Resolves then. For display only, so it
 * gives up without a word where it cannot look: no free connection, no right.
 */
export async function watchCopies(
  target: PostgresTarget,
  watch: { readonly applicationName: string; readonly signal: AbortSignal; onTable(name: string): void },
): Promise<void> {
  const { signal } = watch;
  try {
    await sleep(LOOK_EVERY_MS, undefined, { signal });
    await withSession(target, { doing: 'watch copies', signal }, async (session) => {
      for (;;) {
        const [row] = await session.query<{ name: string }>(COPIED, [watch.applicationName]);
        if (row !== undefined) watch.onTable(row.name);
        await sleep(LOOK_EVERY_MS, undefined, { signal });
      }
    });
  } catch {
    // Fallback: progress names the piece instead of the table.
  }
}
