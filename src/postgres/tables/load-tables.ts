import { randomBytes } from 'node:crypto';
import type { Check } from '../../domain/backup.ts';
import { createSessionName, endSessions } from '../connection/server-sessions.ts';
import { withSession } from '../connection/session.ts';
import type { DatabaseFacts } from '../facts/database-facts.ts';
import { createMeter, type Meter } from '../meter.ts';
import type { PostgresTarget } from '../postgres.ts';
import { readFacts } from '../restore/read-artifacts.ts';
import { dropDatabase } from '../swap/drop-database.ts';
import { requireToolsFor } from '../tools/client-tools.ts';
import { chooseTables, isolateTables, type ChosenSequence, type ChosenTable } from './choose-tables.ts';
import { makeDefinitions } from './definitions.ts';
import type { SequenceValue, ToolsContext, Load } from './table-load.ts';
import { runLoad } from './run-load.ts';
import { dumpedRows, servedRows } from './row-sources.ts';
import type { DumpedTables, LoadTables, LoadTablesResult, ServedTables } from './tables.ts';

/** See PostgresTables.load. */
export async function loadTables(
  request: LoadTables,
  tools: Omit<ToolsContext, 'applicationName'>,
): Promise<LoadTablesResult> {
  const context = { ...tools, applicationName: createSessionName('tables') };
  const meter = createMeter(tools.operation);
  const { origin } = request;
  try {
    if (origin.from === 'server') return await loadServed({ ...request, origin }, context, meter);
    return await loadDumped({ ...request, origin }, context, meter);
  } catch (error) {
    // What a killed tool left waiting for a lock does not notice that it is alone.
    await endSessions(request.target, context.applicationName);
    throw error;
  } finally {
    if (origin.from === 'dump') await dropDatabase(request.target, origin.asideDatabase);
  }
}

async function loadDumped(
  request: LoadTables & { readonly origin: DumpedTables },
  context: ToolsContext,
  meter: Meter,
): Promise<LoadTablesResult> {
  const { origin, target } = request;
  meter.enter('loading definitions');
  const recorded = await readFacts(origin.source('facts'));
  const checks = await makeDefinitions(request, context, recorded);
  const definitions = { ...target, database: origin.asideDatabase };
  const chosen = await choose(request, definitions, context);
  const rows = new Map(recorded.tables.map((table) => [table.name, table.rows]));
  const load = {
    ...common(request, context, meter),
    definitions,
    tables: chosen.tables,
    sequences: recordedValues(chosen.sequences, recorded),
    rows: dumpedRows(request, context, chosen.tables),
    recorded: (table: ChosenTable) => rows.get(table.spelled),
    timeZone: recorded.serverSettings['TimeZone'] ?? 'UTC',
    otherMajor: majorOf(chosen.version) !== majorOf(recorded.serverVersion),
  };
  return withChecks(await runLoad(load), checks);
}

async function loadServed(
  request: LoadTables & { readonly origin: ServedTables },
  context: ToolsContext,
  meter: Meter,
): Promise<LoadTablesResult> {
  const { target } = request.origin;
  meter.enter('choosing the tables');
  const chosen = await choose(request, target, context);
  requireToolsFor(context.versions, chosen.version);
  const load = {
    ...common(request, context, meter),
    definitions: target,
    tables: chosen.tables,
    sequences: chosen.values,
    rows: servedRows(request, context, chosen.tables),
    recorded: () => undefined,
    timeZone: 'UTC',
    otherMajor: false,
  };
  return runLoad(load);
}

function common(
  request: LoadTables,
  context: ToolsContext,
  meter: Meter,
): Pick<Load, 'request' | 'context' | 'meter' | 'mark'> {
  return { request, context, meter, mark: `lifeboat-${randomBytes(12).toString('hex')}` };
}

interface Chosen {
  readonly tables: readonly ChosenTable[];
  readonly sequences: readonly ChosenSequence[];
  readonly values: readonly SequenceValue[];
  readonly version: number;
}

async function choose(
  { tables: names, stagingSchema, inPlace, target: live, origin }: LoadTables,
  target: PostgresTarget,
  { operation, applicationName }: ToolsContext,
): Promise<Chosen> {
  const doing = `choose tables of ${live.database}`;
  return withSession(target, { doing, applicationName, signal: operation.signal }, async (session) => {
    // Event triggers of the copy must not judge what we do to it.
    if (origin.from === 'server') await session.query('SET session_replication_role = replica');
    const where = origin.from === 'dump' ? 'the backup' : 'the database at that instant';
    const chosen = await chooseTables(session, names, where);
    const values: SequenceValue[] = [];
    for (const { spelled, table } of chosen.sequences) {
      const sql = `SELECT last_value::text AS value, is_called AS called FROM ${spelled}`;
      values.push({ name: table, ...(await session.one<Omit<SequenceValue, 'name'>>(sql)) });
    }
    await isolateTables(session, chosen.tables, { schema: stagingSchema, inPlace });
    const sql = "SELECT current_setting('server_version_num')::int AS version";
    return { ...chosen, values, ...(await session.one<{ version: number }>(sql)) };
  });
}

function recordedValues(sequences: readonly ChosenSequence[], recorded: DatabaseFacts): SequenceValue[] {
  const states = new Map(recorded.sequences.map(({ name, after }) => [name, after]));
  return sequences.flatMap(({ spelled, table }) => {
    const state = states.get(spelled);
    return state === undefined ? [] : [{ name: table, ...state }];
  });
}

const majorOf = (serverVersion: number): number => Math.floor(serverVersion / 10_000);

function withChecks(result: LoadTablesResult, more: readonly Check[]): LoadTablesResult {
  return { ...result, checks: [...more, ...result.checks] };
}
