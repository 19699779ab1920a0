import { LifeboatError } from '../../domain/errors.ts';
import { parseTableName, sameTable } from '../../domain/table-name.ts';
import { readGated, spawnChild, type ChildExit } from '../../platform/child-process.ts';
import { tablePattern } from '../dump/pieces.ts';
import { feedChild } from '../restore/feed.ts';
import { toolEnvironment } from '../tools/tool-environment.ts';
import type { ChosenTable } from './choose-tables.ts';
import type { ToolsContext } from './table-load.ts';
import type { DumpedTables, LoadTables, ServedTables } from './tables.ts';

type Rows = () => AsyncIterable<Uint8Array>;

/** Rows of tables without partitions of their own. */
const withRows = (tables: readonly ChosenTable[]): readonly ChosenTable[] =>
  tables.filter(({ partitioned }) => !partitioned);

/** Scripts with the rows of a dump: only the pieces that hold any of the tables are read. */
export function dumpedRows(
  { origin }: LoadTables & { readonly origin: DumpedTables },
  context: ToolsContext,
  tables: readonly ChosenTable[],
): readonly Rows[] {
  const wanted = withRows(tables);
  const big = origin.artifacts.flatMap(({ name, attributes: { table } }) =>
    /^data-\d+$/.test(name) && table !== undefined ? [{ piece: name, table: parseTableName(table) }] : [],
  );
  const pieces = big.filter(({ table }) => wanted.some((one) => sameTable(one, table))).map(({ piece }) => piece);
  const small = wanted.some((one) => !big.some(({ table }) => sameTable(one, table)));
  return [...(small ? ['data'] : []), ...pieces].map((piece) => () => readPiece(origin, piece, { context, wanted }));
}

/** One piece as SQL. It is read to its end, whatever of it is wanted: its last bytes prove the ones before. */
async function* readPiece(
  { source }: DumpedTables,
  piece: string,
  { context, wanted }: { readonly context: ToolsContext; readonly wanted: readonly ChosenTable[] },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { operation, tools } = context;
  const command = tools.pgRestore;
  const args = [
    '--file=-',
    '--data-only',
    ...new Set(wanted.map(({ schema }) => `--schema=${schema}`)),
    ...new Set(wanted.map(({ table }) => `--table=${table}`)),
  ];
  const env = { ...toolEnvironment({ target: NOWHERE, ...context }, command) };
  const child = spawnChild({ name: 'pg_restore', command, args, env, signal: operation.signal, stdin: 'pipe' });
  const toError = (exit: ChildExit): LifeboatError => failed('pg_restore', piece, exit);
  const fed = feedChild(child, source(piece), toError);
  // Awaited below; a failure in between ends the child, and with it the reading.
  fed.catch(() => undefined);
  try {
    yield* readGated(child, toError);
  } catch (error) {
    // A source that fails has the better reason.
    await fed;
    throw error;
  }
  await fed;
}

/** It writes a script and connects to no server. */
const NOWHERE = { host: '127.0.0.1', port: 1, user: 'nobody', database: 'nothing' };

/** Rows of a server of our own, in one snapshot of pg_dump. */
export function servedRows(
  { origin, stagingSchema }: LoadTables & { readonly origin: ServedTables },
  context: ToolsContext,
  tables: readonly ChosenTable[],
): readonly Rows[] {
  const patterns = tables.map(({ table }) => `--table=${tablePattern(stagingSchema, table)}`);
  return [() => readDump(origin.target, ['--section=data', ...patterns], context)];
}

/** Output of pg_dump as a script; its times are in UTC. */
export async function* readDump(
  target: ServedTables['target'],
  args: readonly string[],
  { operation, tools, passfile, applicationName }: ToolsContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  const command = tools.pgDump;
  const connection = { target, passfile, applicationName, options: '-c TimeZone=UTC' };
  const child = spawnChild({
    name: 'pg_dump',
    command,
    args: ['--format=plain', '--no-password', '--no-tablespaces', '--quote-all-identifiers', ...args],
    env: toolEnvironment(connection, command),
    signal: operation.signal,
  });
  yield* readGated(child, (exit) => failed('pg_dump', target.database, exit));
}

function failed(tool: string, what: string, exit: ChildExit): LifeboatError {
  const how = exit.signal === null ? `exit ${exit.code}` : `ended by ${exit.signal}`;
  return new LifeboatError('POSTGRES_RESTORE_FAILED', `read ${what}: ${tool}: ${how}: ${exit.stderrTail}`, {
    details: { part: what, exitCode: exit.code, signal: exit.signal },
  });
}
