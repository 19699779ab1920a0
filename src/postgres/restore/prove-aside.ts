import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { openSession, withSession, type Session } from '../connection/session.ts';
import { ofExtension, readCatalogFacts, SYSTEM_SCHEMA } from '../facts/catalog-facts.ts';
import { compareFacts, type RestoredFacts } from '../facts/compare-facts.ts';
import type { DatabaseFacts } from '../facts/database-facts.ts';
import { batchTables, countRows, listTables, type TableToCount } from '../facts/row-counts.ts';
import { readSequences } from '../facts/sequences.ts';
import type { Meter } from '../meter.ts';
import type { PostgresTarget } from '../postgres.ts';
import { runAll, type Task } from '../run-all.ts';

export interface Proof {
  readonly target: PostgresTarget;
  readonly database: string;
  readonly applicationName: string;
  readonly recorded: DatabaseFacts;
  readonly jobs: number;
  readonly meter: Meter;
  readonly signal: AbortSignal;
}

/** Statistics make the restored database fast at once; beyond this time autovacuum gathers the rest. */
const ANALYZE_LIMIT_MS = 10 * 60_000;

/** Counts, analyzes and compares. Returns all checks, failed ones too. */
export async function proveAside(proof: Proof): Promise<Check[]> {
  const { target, database, signal } = proof;
  const request = { doing: `check ${database}`, database, applicationName: proof.applicationName, signal };
  return withSession(target, request, async (session) => {
    const found = await listTables(session);
    const { tables, unanalyzed } = await countAndAnalyze(proof, found);
    const left = unanalyzed + (await analyzeParents(session));
    const restored: RestoredFacts = {
      catalog: await readCatalogFacts(session),
      sequences: await readSequences(session),
      tables,
    };
    return [...compareFacts(proof.recorded, restored), ...(left > 0 ? [statisticsCheck(left)] : [])];
  });
}

async function countAndAnalyze(
  proof: Proof,
  found: readonly TableToCount[],
): Promise<{ tables: { name: string; rows: number }[]; unanalyzed: number }> {
  const batches = batchTables(found);
  const deadline = Date.now() + ANALYZE_LIMIT_MS;
  const tables: { name: string; rows: number }[] = [];
  let unanalyzed = 0;
  const worker: Task = async (signal) => {
    const { target, database, applicationName } = proof;
    const session = await openSession(target, {
      doing: `count the rows of ${database}`,
      database,
      applicationName,
      signal,
    });
    try {
      for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
        tables.push(...(await countRows(session, batch)));
        proof.meter.tick(`rows of ${batch[0]?.name ?? ''}`, batch.length);
        if (!(await analyze(session, batch, deadline))) unanalyzed += batch.length;
      }
    } finally {
      await session.end();
    }
  };
  const jobs = Math.max(1, Math.min(proof.jobs, batches.length));
  await runAll(
    Array.from({ length: jobs }, () => worker),
    { jobs, signal: proof.signal },
  );
  return { tables, unanalyzed };
}

/** Autovacuum never looks at partitioned tables, so theirs are gathered here or not at all; materialised views as well. */
const PARENTS = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE (c.relkind = 'p' OR (c.relkind = 'm' AND c.relispopulated)) AND NOT (${SYSTEM_SCHEMA}) AND NOT ${ofExtension('pg_class', 'c.oid')}`;

async function analyzeParents(session: Session): Promise<number> {
  const deadline = Date.now() + ANALYZE_LIMIT_MS;
  let left = 0;
  for (const { name } of await session.query<{ name: string }>(PARENTS)) {
    if (!(await analyze(session, [{ name, bytes: 0 }], deadline))) left += 1;
  }
  return left;
}

/** False where the time was over. */
async function analyze(session: Session, batch: readonly TableToCount[], deadline: number): Promise<boolean> {
  const leftMs = deadline - Date.now();
  if (leftMs <= 0) return false;
  await session.query(`SET statement_timeout = ${leftMs}`);
  try {
    await session.query(`ANALYZE ${batch.map((table) => table.name).join(', ')}`);
    return true;
  } catch (error) {
    if (error instanceof LifeboatError && error.details['sqlstate'] === '57014') return false;
    throw error;
  } finally {
    await session.query('SET statement_timeout = 0');
  }
}

function statisticsCheck(left: number): Check {
  const message = `gathering stopped after ${ANALYZE_LIMIT_MS / 60_000} minutes; autovacuum does the rest, or run ANALYZE`;
  return {
    name: 'planner statistics',
    status: 'skip',
    expected: 'all tables',
    actual: `${left} tables without`,
    message,
  };
}
