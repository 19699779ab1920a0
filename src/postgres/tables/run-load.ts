import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { formatTableName, type TableName } from '../../domain/table-name.ts';
import { spawnChild, type Child, type ChildExit } from '../../platform/child-process.ts';
import { databaseArgument, quoteIdentifier, quoteLiteral } from '../connection/quoting.ts';
import { tablePattern } from '../dump/pieces.ts';
import { feedChild } from '../restore/feed.ts';
import { withoutNewerSettings } from '../restore/newer-settings.ts';
import { toolEnvironment } from '../tools/tool-environment.ts';
import { copyBlocks, type CopiedRows } from './copy-blocks.ts';
import type { ChosenTable } from './choose-tables.ts';
import { missingOwners } from './missing-owners.ts';
import { ownersCheck } from './definitions.ts';
import type { Load } from './table-load.ts';
import { readBackRows } from './read-back.ts';
import { readDump } from './row-sources.ts';
import { createRowDigest, type RowDigest } from './row-digest.ts';
import type { LoadedTable, LoadTablesResult } from './tables.ts';

const SERVER_OPTIONS =
  '-c default_transaction_read_only=off -c row_security=off -c statement_timeout=0 -c idle_in_transaction_session_timeout=0';
/** Exit code of psql for a statement that the server refused, with ON_ERROR_STOP. */
const REFUSED = 3;

/**
 * One transaction of psql: definitions, rows, sequences, indexes and constraints; then all rows are read back. COMMIT is the last thing that is
 * written, after the rows were compared: whoever dies before that (we, psql, a tool, the server) leaves nothing.
 */
export async function runLoad(load: Load): Promise<LoadTablesResult> {
  const { context, request, meter } = load;
  const missing = await missingOwners(load);
  const psql = startPsql(load);
  const back = readBackRows(psql, {
    mark: load.mark,
    tables: load.tables.filter(({ partitioned }) => !partitioned).length,
    onRows: (rows) => meter.tick(`${rows} rows`, 0),
  });
  // Awaited inside the script; without this an early failure would be nobody's.
  back.catch(() => undefined);
  const copied = new Map<string, CopiedRows>();
  const proven: { checks: readonly Check[] } = { checks: [] };
  const toError = (exit: ChildExit): LifeboatError => loadError(request.target.database, exit);
  async function* script(): AsyncGenerator<Uint8Array, void, undefined> {
    yield* statements(load, { copied, bare: missing.length > 0 });
    const digests = await back;
    if (digests === undefined) throw toError(await psql.exited);
    proven.checks = compare(load, copied, digests);
    yield Buffer.from('COMMIT;\n');
  }
  await feedChild(psql, script(), toError);
  context.operation.signal.throwIfAborted();
  const checks = [...proven.checks, ...(missing.length === 0 ? [] : [ownersCheck(missing)])];
  return { tables: loadedTables(load, copied), checks, bytes: meter.bytes };
}

function startPsql({ request, context }: Load): Child {
  const { tools, passfile, applicationName, operation } = context;
  const { target } = request;
  const command = tools.psql;
  const database = `--dbname=${databaseArgument(target.database)}`;
  return spawnChild({
    name: 'psql',
    command,
    args: ['--no-psqlrc', '--quiet', '--no-password', '--no-align', '--tuples-only', '--set=ON_ERROR_STOP=1', database],
    env: toolEnvironment({ target, passfile, applicationName, options: SERVER_OPTIONS }, command),
    signal: operation.signal,
    stdin: 'pipe',
  });
}

async function* statements(
  load: Load,
  { copied, bare }: { readonly copied: Map<string, CopiedRows>; readonly bare: boolean },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { request, context, meter, tables, sequences, mark } = load;
  const { stagingSchema } = request;
  const schema = quoteIdentifier(stagingSchema);
  const patterns = tables.map(({ table }) => `--table=${tablePattern(stagingSchema, table)}`);
  const without = bare ? ['--no-owner', '--no-privileges'] : [];
  const section = (name: string): AsyncIterable<Uint8Array> =>
    withoutNewerSettings(readDump(load.definitions, [`--section=${name}`, ...without, ...patterns], context));

  // What an earlier attempt committed, whose answer was lost.
  const fresh = `DROP SCHEMA IF EXISTS ${schema} CASCADE; CREATE SCHEMA ${schema};`;
  yield text('BEGIN;', '\\o /dev/null', 'SET client_min_messages = warning;', fresh);
  yield* section('pre-data');
  meter.enter('loading data');
  for (const rows of load.rows) {
    const blocks = copyBlocks(
      rows(),
      (origin) => destinationOf(load, origin),
      (origin, taken) => {
        copied.set(keyOf(origin), taken);
        meter.tick(formatTableName(origin), 0);
      },
    );
    yield* meter.count(blocks, () => 'rows');
  }
  const values = sequences.map(
    ({ name, value, called }) =>
      `SELECT pg_catalog.setval(${quoteLiteral(`${schema}.${quoteIdentifier(name)}`)}, ${value}, ${called});`,
  );
  yield text(...values);
  meter.enter('building indexes and constraints');
  yield* section('post-data');
  meter.enter('reading back');
  yield text(
    '\\o',
    "SET client_encoding = 'UTF8'; SET search_path = ''; SET DateStyle = ISO; SET IntervalStyle = postgres; SET extra_float_digits = 3;",
    `SET TimeZone = ${quoteLiteral(load.timeZone)};`,
  );
  for (const [place, table] of tables.filter(({ partitioned }) => !partitioned).entries()) {
    const columns = rowsOf(load, table, copied)?.columns ?? '';
    yield text(`\\echo ${mark} ${place}`, `COPY ${schema}.${quoteIdentifier(table.table)}${columns} TO STDOUT;`);
  }
  yield text(`\\echo ${mark} end`);
}

const text = (...lines: readonly string[]): Buffer => Buffer.from(lines.map((line) => `${line}\n`).join(''));

const keyOf = ({ schema, table }: TableName): string => JSON.stringify([schema, table]);

/** In a dump the rows have the names of old; a server of ours gives them under the staging schema already. */
function rowsOf(
  { request }: Load,
  { schema, table }: ChosenTable,
  copied: Map<string, CopiedRows>,
): CopiedRows | undefined {
  const from = request.origin.from === 'dump' ? schema : request.stagingSchema;
  return copied.get(keyOf({ schema: from, table }));
}

function destinationOf({ request, tables }: Load, { schema, table }: TableName): TableName | undefined {
  const { stagingSchema, origin } = request;
  const found = tables.find(
    (one) => one.table === table && (origin.from === 'dump' ? one.schema : stagingSchema) === schema,
  );
  return found && { schema: stagingSchema, table };
}

/** What passed into psql against what the backup recorded, and against what the live server gives back. */
function compare(load: Load, copied: Map<string, CopiedRows>, digests: readonly RowDigest[]): readonly Check[] {
  const plain = load.tables.filter(({ partitioned }) => !partitioned);
  const judged = plain.map((table, place) => {
    const stored = rowsOf(load, table, copied)?.digest ?? createRowDigest();
    const back = digests[place] ?? createRowDigest();
    return { name: formatTableName(table), ...judge(load.recorded(table), stored, back) };
  });
  const blurred = judged.filter(({ sameRows, sameText }) => sameRows && !sameText && load.otherMajor);
  const wrong = judged.filter((one) => !(one.sameRows && one.sameText) && !blurred.includes(one));
  if (wrong.length > 0) {
    const named = wrong.slice(0, 10).map(({ name, counts }) => `${name}: ${counts}`);
    throw new LifeboatError('RESTORE_TABLES_MISMATCH', `read tables back: ${named.join('; ')}`);
  }
  const rows = digests.reduce((sum, digest) => sum + digest.rows, 0);
  const count = `${rows} rows in ${plain.length} tables`;
  const same = { status: 'pass', expected: count, actual: count } as const;
  const digest: Check =
    blurred.length === 0
      ? { name: 'row digests', ...same, message: 'every row as it was stored' }
      : {
          name: 'row digests',
          status: 'skip',
          expected: 'as stored',
          actual: 'other text',
          message: otherText(blurred.map(({ name }) => name)),
        };
  return [{ name: 'rows', ...same, message: 'rows recorded, stored and read back' }, digest];
}

function judge(
  recorded: number | undefined,
  stored: RowDigest,
  back: RowDigest,
): { readonly sameRows: boolean; readonly sameText: boolean; readonly counts: string } {
  const rows = recorded ?? stored.rows;
  return {
    sameRows: rows === stored.rows && rows === back.rows,
    sameText: stored.value() === back.value(),
    counts: `${rows} rows recorded, ${stored.rows} stored, ${back.rows} read back`,
  };
}

const otherText = (names: readonly string[]): string =>
  `another major version of the server may write values in another way: ${names.slice(0, 10).join('; ')}`;

function loadedTables(load: Load, copied: Map<string, CopiedRows>): LoadedTable[] {
  return load.tables.map((table) => ({
    schema: table.schema,
    table: table.table,
    rows: rowsOf(load, table, copied)?.digest.rows ?? 0,
  }));
}

function loadError(database: string, exit: ChildExit): LifeboatError {
  const how = exit.signal === null ? `exit ${exit.code}` : `ended by ${exit.signal}`;
  const code = exit.code === REFUSED ? 'RESTORE_TABLES_REFUSED' : 'POSTGRES_RESTORE_FAILED';
  return new LifeboatError(code, `load tables into ${database}: psql: ${how}: ${exit.stderrTail}`, {
    details: { exitCode: exit.code, signal: exit.signal },
  });
}
