import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { runChild } from '../../platform/child-process.ts';
import { withMaintenance } from '../connection/maintenance.ts';
import type { DatabaseFacts } from '../facts/database-facts.ts';
import { createAside } from '../restore/create-aside.ts';
import { loadFile, type Loader } from '../restore/load.ts';
import { chooseTools } from '../restore/server-tools.ts';
import { dropThrough } from '../swap/drop-database.ts';
import { libraryPath } from '../tools/tool-environment.ts';
import type { ToolsContext } from './table-load.ts';
import type { DumpedTables, LoadTables } from './tables.ts';

/**
 * What is not made for the definitions: it acts on its own, reaches for other servers, or reads data that is not loaded. `pg_restore
 * --list` names an entry by these words.
 */
const LEFT_OUT = [
  'EVENT TRIGGER',
  'MATERIALIZED VIEW DATA',
  'PUBLICATION',
  'PUBLICATION TABLE',
  'PUBLICATION TABLES IN SCHEMA',
  'SUBSCRIPTION',
  'SUBSCRIPTION TABLE',
];
const ENTRY = /^\d+; \d+ \d+ (.*)$/;

/**
 * Makes a database with all definitions of a dump and none of its rows: from there single tables are taken with what they depend on
 * resolved by the server itself. It stays until it is dropped.
 */
export async function makeDefinitions(
  { target, origin }: LoadTables & { readonly origin: DumpedTables },
  context: ToolsContext,
  recorded: DatabaseFacts,
): Promise<readonly Check[]> {
  const { asideDatabase, source } = origin;
  const { signal } = context.operation;
  const likeDatabase = target.database;
  const about = { doing: `prepare ${asideDatabase}`, about: [asideDatabase, likeDatabase], signal };
  const { checks, serverVersion, missing } = await withMaintenance(target, about, async (session) => {
    await dropThrough(session, asideDatabase);
    const checks = await createAside(session, { asideDatabase, likeDatabase }, recorded);
    const { version } = await session.one<{ version: number }>(
      "SELECT current_setting('server_version_num')::int AS version",
    );
    const roles = await session.query<{ name: string }>('SELECT rolname::text AS name FROM pg_roles');
    const known = new Set(roles.map(({ name }) => name));
    const missing = rolesOf(recorded).filter((name) => !known.has(name));
    return { checks, serverVersion: version, missing };
  });
  const file = join(context.folder, 'schema');
  await pipeline(source('schema'), createWriteStream(file, { mode: 0o600 }), { signal });
  const chosen = await chooseTools(context, { serverVersion, archive: file, scratchDir: context.folder });
  const args = ['--no-tablespaces', ...(missing.length === 0 ? [] : ['--no-owner', '--no-privileges'])];
  const { applicationName, passfile } = context;
  const loader: Loader = { ...chosen, passfile, target, database: asideDatabase, applicationName, args, serverVersion };
  await loadFile(loader, { file, section: 'pre-data', jobs: 1, signal });
  const list = await writeList(loader, { file, folder: context.folder, signal });
  const rest = { ...loader, args: [...args, `--use-list=${list}`] };
  await loadFile(rest, { file, section: 'post-data', jobs: 1, signal });
  return missing.length === 0 ? checks : [...checks, ownersCheck(missing)];
}

async function writeList(
  { tools }: Loader,
  { file, folder, signal }: { readonly file: string; readonly folder: string; readonly signal: AbortSignal },
): Promise<string> {
  const command = tools.pgRestore;
  const args = ['--list', '--section=post-data', file];
  const { stdout, exit } = await runChild({ name: 'pg_restore', command, args, env: libraryPath(command), signal });
  if (exit.code !== 0) {
    throw new LifeboatError('POSTGRES_RESTORE_FAILED', `list the definitions of a dump: ${exit.stderrTail}`);
  }
  const path = join(folder, 'post-data.list');
  await writeFile(path, withoutEntries(stdout), { mode: 0o600 });
  return path;
}

/** The list of `pg_restore --list` without what is not made here. A word that begins an ordinary entry's name is no matter: kinds come first. */
export function withoutEntries(list: string): string {
  return list
    .split('\n')
    .filter((line) => {
      const entry = ENTRY.exec(line)?.[1];
      return entry === undefined || !LEFT_OUT.some((kind) => entry.startsWith(`${kind} `));
    })
    .join('\n');
}

/** Roles that own or may use anything of the dump. */
function rolesOf({ objects }: DatabaseFacts): string[] {
  const grantees = objects.flatMap(({ grants }) => grants.map((grant) => grant.slice(0, grant.lastIndexOf('='))));
  const named = grantees.filter((name) => name !== 'PUBLIC').map(unquote);
  return [...new Set([...objects.map(({ owner }) => owner), ...named])].filter((name) => name !== '');
}

const unquote = (name: string): string => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name);

export function ownersCheck(missing: readonly string[]): Check {
  const message = `not on this server: ${missing.slice(0, 10).join(', ')}; the tables belong to the role that restores, without grants`;
  return { name: 'owners and rights', status: 'skip', expected: 'as in the backup', actual: 'not brought', message };
}
