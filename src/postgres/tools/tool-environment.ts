import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LifeboatError } from '../../domain/errors.ts';
import type { PostgresTarget } from '../postgres.ts';

/** libpq waits for ever by default. */
const CONNECT_TIMEOUT_SECONDS = 15;

export interface ToolConnection {
  readonly target: PostgresTarget;
  /** As writePassfile gave it. */
  readonly passfile: string;
  /** Shows in pg_stat_activity; by it the sessions of a killed tool are found. */
  readonly applicationName: string;
  /** Server settings for these sessions, `-c name=value` each. */
  readonly options?: string;
}

/**
 * libpq variables for a client tool. The password is in a 0600 file: argv and environment of a process can be read by others.
 * https://www.postgresql.org/docs/current/libpq-envars.html
 */
export function toolEnvironment(connection: ToolConnection, tool: string): Record<string, string> {
  const { target, passfile, applicationName, options } = connection;
  return {
    ...libraryPath(tool),
    ...tlsEnvironment(target),
    PGHOST: target.host,
    PGPORT: String(target.port),
    PGUSER: target.user,
    PGDATABASE: target.database,
    PGPASSFILE: passfile,
    PGAPPNAME: applicationName,
    PGCONNECT_TIMEOUT: String(CONNECT_TIMEOUT_SECONDS),
    PGOPTIONS: options ?? '',
    PGCLIENTENCODING: 'UTF8',
    PGSERVICEFILE: '/dev/null',
    LC_ALL: 'C',
  };
}

/** Portable builds carry their own libpq in ../lib; with the system's, which may be older, they lack symbols. */
export function libraryPath(tool: string): Record<string, string> {
  const folder = join(dirname(tool), '..', 'lib');
  return tool.includes('/') && existsSync(join(folder, 'libpq.so.5')) ? { LD_LIBRARY_PATH: folder } : {};
}

/**
 * Writes the passfile of an operation into its private folder, once: a tool may read it at any time from then on.
 * https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export async function writePassfile(folder: string, password: string | undefined): Promise<string> {
  const path = join(folder, 'passfile');
  if (password === undefined) return path;
  if (/[\r\n]/.test(password)) {
    throw new LifeboatError('POSTGRES_AUTH_FAILED', 'the password has a line break, which a passfile cannot hold');
  }
  await writeFile(path, `*:*:*:*:${password.replaceAll('\\', '\\\\').replaceAll(':', '\\:')}\n`, { mode: 0o600 });
  return path;
}

function tlsEnvironment({ ssl }: PostgresTarget): Record<string, string> {
  const mode = ssl?.mode ?? 'prefer';
  const verifies = mode === 'verify-ca' || mode === 'verify-full';
  const authority = ssl?.caPath ?? (mode === 'verify-full' ? 'system' : undefined);
  return { PGSSLMODE: mode, ...(verifies && authority !== undefined ? { PGSSLROOTCERT: authority } : {}) };
}
