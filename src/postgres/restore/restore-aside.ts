import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { withMaintenance } from '../connection/maintenance.ts';
import { createSessionName, endSessions } from '../connection/server-sessions.ts';
import type { Session } from '../connection/session.ts';
import type { DatabaseFacts } from '../facts/database-facts.ts';
import { createMeter, type Meter } from '../meter.ts';
import type { ArtifactSource, AsideResult, PostgresTools, RestoreAside } from '../postgres.ts';
import { runAll, type Task } from '../run-all.ts';
import { dropDatabase, dropThrough } from '../swap/drop-database.ts';
import type { ToolVersions } from '../tools/client-tools.ts';
import { createAside } from './create-aside.ts';
import { loadFile, loadStream, type Loader } from './load.ts';
import { proveAside } from './prove-aside.ts';
import { readFacts, readText } from './read-artifacts.ts';
import { createRoles, listRoles, planRoles } from './roles.ts';
import { chooseTools } from './server-tools.ts';
import { watchWork } from './work-watch.ts';

export interface RestoreContext {
  readonly source: ArtifactSource;
  readonly operation: Operation;
  readonly tools: PostgresTools;
  readonly versions: ToolVersions;
  /** Private folder of this restore, for the definitions. */
  readonly folder: string;
  readonly passfile: string;
}

/** What the preparation found out. */
interface Prepared {
  readonly rolesCreated: readonly string[];
  readonly checks: readonly Check[];
  readonly serverVersion: number;
  readonly noTablespaces: boolean;
}

/** See Postgres.restoreAside. */
export async function restoreAside(request: RestoreAside, context: RestoreContext): Promise<AsideResult> {
  const meter = createMeter(context.operation);
  const applicationName = createSessionName('restore');
  meter.enter('preparing');
  const recorded = await readFacts(artifactSource(request, context, meter)('facts'));
  const prepared = await prepare(request, context, { recorded, meter });
  try {
    await load(request, context, { prepared, applicationName, meter });
    meter.enter('checking');
    const { target, asideDatabase: database, jobs } = request;
    const { signal } = context.operation;
    const proven = await proveAside({ target, database, applicationName, recorded, jobs, meter, signal });
    const checks = [...prepared.checks, ...proven];
    requirePassed(request, checks);
    return { checks, rolesCreated: prepared.rolesCreated, bytes: meter.bytes, databaseOid: await oidOf(request) };
  } catch (error) {
    await removeAside(request, applicationName);
    throw error;
  }
}

/** Each artifact as it streams, counted. Asking for one that the backup does not list is damage. */
function artifactSource(request: RestoreAside, context: RestoreContext, meter: Meter): ArtifactSource {
  const attributes = new Map(request.artifacts.map((artifact) => [artifact.name, artifact.attributes]));
  return (name) => {
    const known = attributes.get(name);
    if (known === undefined) {
      throw new LifeboatError(
        'POSTGRES_FACTS_INVALID',
        `the backup of ${request.facts.database} has no artifact ${name}`,
      );
    }
    return meter.count(context.source(name), () => known['table'] ?? name);
  };
}

async function prepare(
  request: RestoreAside,
  context: RestoreContext,
  found: { readonly recorded: DatabaseFacts; readonly meter: Meter },
): Promise<Prepared> {
  const { target, asideDatabase, likeDatabase, facts } = request;
  const { signal } = context.operation;
  const globals = await readText(artifactSource(request, context, found.meter)('globals'));
  const doing = `prepare ${asideDatabase}`;
  return withMaintenance(target, { doing, about: [asideDatabase, likeDatabase], signal }, async (session) => {
    const serverVersion = await requireNewEnough(session, facts.serverVersion);
    refuseTakenName(request);
    await dropThrough(session, asideDatabase);
    const roles = await createRoles(session, planRoles(globals, await listRoles(session)));
    const checks = await createAside(session, request, found.recorded);
    const missing = await missingTablespaces(session, found.recorded.tablespaces);
    return {
      rolesCreated: roles.created,
      checks: [...roles.checks, ...checks, ...(missing.length === 0 ? [] : [tablespaceCheck(missing)])],
      serverVersion,
      noTablespaces: missing.length > 0,
    };
  });
}

async function requireNewEnough(session: Session, storedVersion: number): Promise<number> {
  const { version } = await session.one<{ version: number }>(
    "SELECT current_setting('server_version_num')::int AS version",
  );
  const [stored, here] = [Math.floor(storedVersion / 10_000), Math.floor(version / 10_000)];
  if (here >= stored) return version;
  throw new LifeboatError('POSTGRES_TARGET_TOO_OLD', `the backup is of postgresql ${stored}, the target is ${here}`, {
    details: { storedMajor: stored, targetMajor: here },
  });
}

/** The aside database is dropped before it is made: its name must not be one that anybody works with. */
function refuseTakenName({ target, asideDatabase, likeDatabase }: RestoreAside): void {
  const inUse = [likeDatabase, target.database, 'postgres', 'template0', 'template1'];
  if (!inUse.includes(asideDatabase)) return;
  throw new LifeboatError(
    'POSTGRES_NAME_TAKEN',
    `${asideDatabase} is in use and cannot be the name of an aside database`,
  );
}

async function missingTablespaces(session: Session, wanted: readonly string[]): Promise<string[]> {
  const rows = await session.query<{ name: string }>('SELECT spcname::text AS name FROM pg_tablespace');
  const known = new Set(rows.map((row) => row.name));
  return wanted.filter((name) => !known.has(name));
}

function tablespaceCheck(missing: readonly string[]): Check {
  const message = `not on this server: ${missing.join(', ')}; everything went into the default tablespace`;
  return { name: 'tablespaces', status: 'skip', expected: missing.join(', '), actual: 'pg_default', message };
}

async function load(
  request: RestoreAside,
  context: RestoreContext,
  run: { readonly prepared: Prepared; readonly applicationName: string; readonly meter: Meter },
): Promise<void> {
  const { target, asideDatabase: database, jobs } = request;
  const { signal } = context.operation;
  const { meter, applicationName, prepared } = run;
  const source = artifactSource(request, context, meter);
  const args = prepared.noTablespaces ? ['--no-tablespaces'] : [];
  const file = join(context.folder, 'schema');
  await pipeline(source('schema'), createWriteStream(file, { mode: 0o600 }), { signal });
  const { serverVersion } = prepared;
  const chosen = await chooseTools(context, { serverVersion, archive: file, scratchDir: context.folder });
  const loader: Loader = { ...context, ...chosen, target, database, applicationName, args, serverVersion };

  const watching = new AbortController();
  const watchSignal = AbortSignal.any([signal, watching.signal]);
  const watch = watchWork(target, {
    database,
    applicationName,
    signal: watchSignal,
    onWork: (object) => meter.tick(object),
  });
  try {
    meter.enter('loading definitions');
    await loadFile(loader, { file, section: 'pre-data', jobs: 1, signal });
    meter.enter('loading data');
    const pieces = request.artifacts.filter(({ name }) => /^data(-\d+)?$/.test(name));
    const tasks = pieces.map(
      ({ name }): Task =>
        (signal) =>
          loadStream(loader, { name, source: source(name), signal }),
    );
    await runAll(tasks, { jobs, signal });
    meter.enter('building indexes and constraints');
    await loadFile(loader, { file, section: 'post-data', jobs, signal });
  } finally {
    watching.abort();
    await watch;
  }
}

function requirePassed({ asideDatabase }: RestoreAside, checks: readonly Check[]): void {
  const failed = checks.filter((check) => check.status === 'fail');
  if (failed.length === 0) return;
  const named = failed.map((check) => `${check.name}: ${check.message}`);
  throw new LifeboatError('POSTGRES_RESTORE_MISMATCH', `check ${asideDatabase}: ${named.join('; ').slice(0, 2_000)}`, {
    details: { failed: failed.map((check) => check.name) },
  });
}

async function oidOf({ target, asideDatabase }: RestoreAside): Promise<number> {
  return withMaintenance(target, { doing: `look up ${asideDatabase}`, about: [asideDatabase] }, async (session) => {
    const sql = 'SELECT oid::int8::text AS oid FROM pg_database WHERE datname = $1';
    const { oid } = await session.one<{ oid: string }>(sql, [asideDatabase]);
    return Number(oid);
  });
}

/** After a failure or an abort: the first error is what counts, and a database that stays is dropped by the next attempt. */
async function removeAside({ target, asideDatabase }: RestoreAside, applicationName: string): Promise<void> {
  await endSessions(target, applicationName);
  await dropDatabase(target, asideDatabase).catch(() => undefined);
}
