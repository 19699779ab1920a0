import { LifeboatError } from '../../domain/errors.ts';
import type { PostgresFacts } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import { readGated, spawnChild, type ChildExit } from '../../platform/child-process.ts';
import { createSessionName, endSessions } from '../connection/server-sessions.ts';
import type { DatabaseFacts } from '../facts/database-facts.ts';
import { readSequences } from '../facts/sequences.ts';
import { requireReadRights } from '../inspect/read-rights.ts';
import { listBigTables, locksAreTight, readServer, type Server } from '../inspect/server.ts';
import { createMeter, type Meter } from '../meter.ts';
import type { ArtifactSink, DumpOptions, PostgresTarget, PostgresTools } from '../postgres.ts';
import { runAll, type Task } from '../run-all.ts';
import { requireToolsFor, type ToolVersions } from '../tools/client-tools.ts';
import { toolEnvironment } from '../tools/tool-environment.ts';
import { countSnapshotRows, LOCK_WAIT_MS, readSnapshotFacts, recordSequences } from './collect-facts.ts';
import { watchCopies } from './copy-watch.ts';
import { planPieces, type Piece } from './pieces.ts';
import { openSnapshot, type Snapshot } from './snapshot.ts';

export interface DumpContext {
  readonly sink: ArtifactSink;
  readonly operation: Operation;
  readonly tools: PostgresTools;
  readonly versions: ToolVersions;
  readonly passfile: string;
}

interface Run {
  readonly target: PostgresTarget;
  readonly options: DumpOptions;
  readonly context: DumpContext;
  readonly server: Server;
  readonly snapshot: Snapshot;
  readonly applicationName: string;
  readonly meter: Meter;
  /** The table that is being copied, as far as known. */
  table: string;
}

/** See Postgres.dump. */
export async function dumpDatabase(
  target: PostgresTarget,
  options: DumpOptions,
  context: DumpContext,
): Promise<PostgresFacts> {
  const { signal } = context.operation;
  const meter = createMeter(context.operation);
  meter.enter('taking a snapshot');
  const snapshot = await openSnapshot(target, signal, options.lockTimeoutMs);
  const applicationName = createSessionName('dump');
  try {
    const server = await readServer(snapshot.session);
    requireToolsFor(context.versions, server.serverVersion);
    await requireReadRights(snapshot.session, target);
    const run: Run = { target, options, context, server, snapshot, applicationName, meter, table: 'tables' };
    const facts = await dumpPieces(run);
    await snapshot.release();
    await writeFacts(context.sink, facts);
    return summarise(run, facts);
  } catch (error) {
    await endSessions(target, applicationName);
    throw error;
  } finally {
    await snapshot.session.end();
  }
}

async function dumpPieces(run: Run): Promise<DatabaseFacts> {
  const { target, options, context, snapshot, meter, applicationName } = run;
  const { signal } = context.operation;
  const facts = await readSnapshotFacts(snapshot, target.database);
  const sequencesBefore = await readSequences(snapshot.session);
  const bigTables = await listBigTables(snapshot.session, options.bigTableBytes);
  meter.enter('dumping');
  const pieces = planPieces(bigTables).map(
    (piece): Task =>
      (signal) =>
        dumpPiece(run, piece, signal),
  );
  const globals: Task = (signal) => dumpGlobals(run, signal);
  let tables: DatabaseFacts['tables'] = [];
  const count: Task = async (signal) => {
    tables = await countSnapshotRows(target, { snapshot, applicationName, meter, signal });
  };
  const jobs = locksAreTight(run.server) ? 1 : options.jobs;
  const dump: Task = (signal) => runAll([globals, ...pieces], { jobs, signal });

  const watching = new AbortController();
  const watch = watchCopies(target, {
    applicationName,
    signal: AbortSignal.any([signal, watching.signal]),
    onTable: (name) => (run.table = name),
  });
  try {
    await runAll([dump, count], { jobs: 2, signal });
  } finally {
    watching.abort();
    await watch;
  }
  return { ...facts, tables, sequences: await recordSequences(target, sequencesBefore, signal) };
}

async function dumpPiece(run: Run, piece: Piece, signal: AbortSignal): Promise<void> {
  const { tools, versions, sink } = run.context;
  const native = versions.zstd && run.options.zstdLevel > 0;
  const compression = native ? `zstd:${run.options.zstdLevel}` : '0';
  const args = [
    '--format=custom',
    '--no-password',
    `--snapshot=${run.snapshot.id}`,
    `--lock-wait-timeout=${LOCK_WAIT_MS}`,
    `--compress=${compression}`,
    ...piece.args,
  ];
  const source = startTool(run, { name: 'pg_dump', command: tools.pgDump, args, signal });
  await sink(
    {
      name: piece.name,
      format: 'pg-dump-custom',
      attributes: piece.attributes,
      ...(native ? { producerCompression: compression } : {}),
    },
    run.meter.count(source, () => (piece.name === 'data' ? run.table : piece.object)),
  );
}

async function dumpGlobals(run: Run, signal: AbortSignal): Promise<void> {
  const { tools, sink } = run.context;
  // Password hashes are in pg_authid, which only a superuser reads.
  const passwords = run.server.superuser ? [] : ['--no-role-passwords'];
  const args = ['--globals-only', '--no-password', ...passwords];
  const source = startTool(run, { name: 'pg_dumpall', command: tools.pgDumpall, args, signal });
  const attributes = { passwords: run.server.superuser ? 'yes' : 'no' };
  await sink(
    { name: 'globals', format: 'pg-globals-sql', attributes },
    run.meter.count(source, () => 'roles'),
  );
}

function startTool(
  run: Run,
  tool: {
    readonly name: string;
    readonly command: string;
    readonly args: readonly string[];
    readonly signal: AbortSignal;
  },
): AsyncIterable<Uint8Array> {
  const { target, applicationName, context } = run;
  const env = toolEnvironment({ target, applicationName, passfile: context.passfile }, tool.command);
  return readGated(spawnChild({ ...tool, env }), (exit) => dumpError(tool.name, target.database, exit));
}

function dumpError(name: string, database: string, exit: ChildExit): LifeboatError {
  const how = exit.signal === null ? `exit ${exit.code}` : `ended by ${exit.signal}`;
  return new LifeboatError('POSTGRES_DUMP_FAILED', `dump ${database}: ${name}: ${how}: ${exit.stderrTail}`, {
    details: { tool: name, exitCode: exit.code, signal: exit.signal },
  });
}

async function writeFacts(sink: ArtifactSink, facts: DatabaseFacts): Promise<void> {
  async function* json(): AsyncGenerator<Uint8Array, void, undefined> {
    yield Buffer.from(JSON.stringify(facts));
  }
  await sink({ name: 'facts', format: 'json', attributes: {} }, json());
}

function summarise({ target, server, snapshot }: Run, facts: DatabaseFacts): PostgresFacts {
  return {
    server: server.server,
    serverVersion: server.serverVersion,
    method: ['logical'],
    database: target.database,
    encoding: facts.creation.encoding,
    systemIdentifier: server.systemIdentifier,
    timeline: snapshot.timeline,
    lsn: snapshot.lsn,
    snapshotAt: snapshot.takenAt,
    extensions: facts.extensions,
    tables: facts.tables.length,
    databaseBytes: server.databaseBytes,
  };
}
