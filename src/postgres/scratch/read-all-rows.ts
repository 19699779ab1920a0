import type { Check } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import { openSession, withSession } from '../connection/session.ts';
import { batchTables, countRows, listTables } from '../facts/row-counts.ts';
import type { PostgresTarget } from '../postgres.ts';
import { runAll } from '../run-all.ts';

/**
 * Connects and reads every row of every table of a restored database. How many there are is told: what was recorded with a backup is of another
 * instant than the end of its base, so the number is compared only where the dump is loaded.
 */
export async function readAllRows(
  { target, jobs }: { readonly target: PostgresTarget; readonly jobs: number },
  operation: Operation,
): Promise<Check> {
  const { signal } = operation;
  const request = { doing: 'read the rows of a restored database', signal };
  const tables = await withSession(target, request, listTables);
  const batches = batchTables(tables);
  let rows = 0;
  let read = 0;
  const lane = async (laneSignal: AbortSignal): Promise<void> => {
    const session = await openSession(target, { ...request, signal: laneSignal });
    try {
      for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
        for (const counted of await countRows(session, batch)) rows += counted.rows;
        read += batch.length;
        operation.onProgress({ phase: 'reading every row', bytes: 0, items: read });
      }
    } finally {
      await session.end();
    }
  };
  const lanes = Math.max(1, Math.min(jobs, batches.length));
  await runAll(
    Array.from({ length: lanes }, () => lane),
    { jobs: lanes, signal },
  );
  const actual = `${rows} rows in ${tables.length} tables`;
  return { name: 'every row read', status: 'pass', expected: `${tables.length} tables`, actual, message: '' };
}
