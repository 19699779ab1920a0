import { LifeboatError } from '../../domain/errors.ts';
import { readGated, spawnChild, type Child, type ChildExit } from '../../platform/child-process.ts';
import { databaseArgument } from '../connection/quoting.ts';
import type { PostgresTarget } from '../postgres.ts';
import { toolEnvironment } from '../tools/tool-environment.ts';
import { feedChild } from './feed.ts';
import { withoutNewerSettings } from './newer-settings.ts';
import { needsScript, type ChosenTools } from './server-tools.ts';

export interface Loader extends ChosenTools {
  readonly target: PostgresTarget;
  readonly database: string;
  readonly passfile: string;
  readonly applicationName: string;
  readonly serverVersion: number;
  /** Arguments for every pg_restore: `--no-tablespaces`. */
  readonly args: readonly string[];
}

/**
 * Nothing of a restore counts before the swap, whose commit makes everything before it durable; until then the server need
 * not wait for its disk at every statement.
 */
const SERVER_OPTIONS =
  '-c synchronous_commit=off -c default_transaction_read_only=off -c row_security=off -c statement_timeout=0';

/** Runs the sections of a spooled archive, several connections at once where pg_restore talks to the server itself. */
export async function loadFile(
  loader: Loader,
  archive: {
    readonly file: string;
    readonly section: 'pre-data' | 'post-data';
    readonly jobs: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { file, section, jobs, signal } = archive;
  if (needsScript(loader, loader.serverVersion)) {
    const child = startRestore(loader, ['--file=-', `--section=${section}`, file], { signal, stdin: 'ignore' });
    return runScript(
      loader,
      readGated(child, (exit) => restoreError(loader, section, exit)),
      { section, signal },
    );
  }
  const parallel = jobs > 1 ? [`--jobs=${jobs}`] : [];
  const args = [databaseOption(loader), `--section=${section}`, ...parallel, file];
  const child = startRestore(loader, args, { signal, stdin: 'ignore' });
  for await (const _ of readGated(child, (exit) => restoreError(loader, section, exit)));
}

/** Streams a data archive in; nothing of it touches a disk of ours. */
export async function loadStream(
  loader: Loader,
  archive: { readonly name: string; readonly source: AsyncIterable<Uint8Array>; readonly signal: AbortSignal },
): Promise<void> {
  const { name, source, signal } = archive;
  const toError = (exit: ChildExit): LifeboatError => restoreError(loader, name, exit);
  const scripted = needsScript(loader, loader.serverVersion);
  const target = scripted ? '--file=-' : databaseOption(loader);
  const child = startRestore(loader, [target], { signal, stdin: 'pipe' });
  if (!scripted) {
    child.stdout.resume();
    return feedChild(child, source, toError);
  }
  // Both ends at once: pg_restore writes while it reads.
  const script = runScript(loader, readGated(child, toError), { section: name, signal });
  const [fed, ran] = await Promise.allSettled([feedChild(child, source, toError), script]);
  // A script that ends early ends pg_restore: then psql knows why. A source that fails has the better reason.
  if (fed.status === 'rejected' && !isRestoreFailure(fed.reason)) throw fed.reason;
  if (ran.status === 'rejected') throw ran.reason;
  if (fed.status === 'rejected') throw fed.reason;
}

const isRestoreFailure = (error: unknown): boolean =>
  error instanceof LifeboatError && error.code === 'POSTGRES_RESTORE_FAILED';

const databaseOption = ({ database }: Loader): string => `--dbname=${databaseArgument(database)}`;

function startRestore(
  loader: Loader,
  args: readonly string[],
  how: { readonly signal: AbortSignal; readonly stdin: 'ignore' | 'pipe' },
): Child {
  const command = loader.tools.pgRestore;
  const env = environment(loader, command);
  return spawnChild({
    name: 'pg_restore',
    command,
    args: ['--exit-on-error', '--no-password', ...loader.args, ...args],
    env,
    ...how,
  });
}

async function runScript(
  loader: Loader,
  script: AsyncIterable<Uint8Array>,
  how: { readonly section: string; readonly signal: AbortSignal },
): Promise<void> {
  const command = loader.tools.psql;
  const args = ['--no-psqlrc', '--quiet', '--no-password', '--set=ON_ERROR_STOP=1', databaseOption(loader)];
  const env = environment(loader, command);
  const psql = spawnChild({ name: 'psql', command, args, env, signal: how.signal, stdin: 'pipe' });
  psql.stdout.resume();
  await feedChild(psql, withoutNewerSettings(script), (exit) => restoreError(loader, how.section, exit));
}

function environment(loader: Loader, command: string): Record<string, string> {
  return toolEnvironment({ ...loader, options: SERVER_OPTIONS }, command);
}

function restoreError({ database }: Loader, part: string, exit: ChildExit): LifeboatError {
  const how = exit.signal === null ? `exit ${exit.code}` : `ended by ${exit.signal}`;
  return new LifeboatError('POSTGRES_RESTORE_FAILED', `load ${part} into ${database}: ${how}: ${exit.stderrTail}`, {
    details: { part, exitCode: exit.code, signal: exit.signal },
  });
}
