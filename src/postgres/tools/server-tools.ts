import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LifeboatError } from '../../domain/errors.ts';
import { runChild } from '../../platform/child-process.ts';
import { findExecutable } from '../../platform/executable.ts';
import { systemErrorCode } from '../../platform/system-error.ts';
import type { PostgresServerTools } from '../physical/physical.ts';
import { libraryPath } from './tool-environment.ts';

export interface ServerPlaces {
  /** From the configuration: it is looked into first. A folder of client tools, or of another version, is passed over. */
  readonly binDir?: string | undefined;
  /** PATH syntax. */
  readonly path: string;
  /** Folders of provisioned builds. */
  readonly folders: readonly string[];
}

/** Where Debian keeps the programs of each major version, off PATH. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';
/** A program that does not even tell its version in this time is not used. */
const VERSION_LIMIT_MS = 20_000;

/** Programs of a complete server; pg_combinebackup came with 17. */
const PROGRAMS = [
  'postgres',
  'pg_ctl',
  'pg_basebackup',
  'pg_verifybackup',
  'pg_waldump',
  'pg_amcheck',
  'pg_controldata',
] as const;

/**
 * The server programs of one major version: a data directory starts with no other.
 * @throws LifeboatError POSTGRES_SERVER_MISSING naming where was looked
 */
export async function findServerTools(major: number, places: ServerPlaces): Promise<PostgresServerTools> {
  const onPath = findExecutable('postgres', places.path);
  const folders = [
    ...(places.binDir === undefined ? [] : [places.binDir]),
    ...(onPath === undefined ? [] : [dirname(onPath)]),
    ...(await debianFolders(major)),
    ...places.folders,
  ];
  for (const folder of new Set(folders)) {
    if (isComplete(folder) && (await majorVersion(folder)) === major) return toolsIn(folder, major);
  }
  throw new LifeboatError(
    'POSTGRES_SERVER_MISSING',
    `find the server programs of PostgreSQL ${major}: in none of ${[...new Set(folders)].join(', ') || 'no folder'}`,
    { details: { major } },
  );
}

function toolsIn(folder: string, major: number): PostgresServerTools {
  const tool = (name: string): string => join(folder, name);
  return {
    major,
    postgres: tool('postgres'),
    pgCtl: tool('pg_ctl'),
    pgBasebackup: tool('pg_basebackup'),
    pgVerifybackup: tool('pg_verifybackup'),
    pgCombinebackup: findExecutable(tool('pg_combinebackup'), undefined),
    pgWaldump: tool('pg_waldump'),
    pgAmcheck: tool('pg_amcheck'),
    pgControldata: tool('pg_controldata'),
    libDir: libraryPath(tool('postgres'))['LD_LIBRARY_PATH'],
  };
}

function isComplete(folder: string): boolean {
  return PROGRAMS.every((name) => findExecutable(join(folder, name), undefined) !== undefined);
}

async function debianFolders(major: number): Promise<readonly string[]> {
  const versions = await readdir(DEBIAN_FOLDER).catch((error: unknown) => {
    if (systemErrorCode(error) === undefined) throw error;
    // Not Debian, or not for us to look into: the other places remain.
    return [];
  });
  return versions.filter((version) => version === String(major)).map((version) => join(DEBIAN_FOLDER, version, 'bin'));
}

/** Major version of a folder's postgres; 0 where it does not run. */
async function majorVersion(folder: string): Promise<number> {
  const command = join(folder, 'postgres');
  const signal = AbortSignal.timeout(VERSION_LIMIT_MS);
  const request = { name: 'postgres', command, args: ['--version'], env: libraryPath(command), signal };
  // A program that cannot be started is one that cannot be used.
  const answer = await runChild(request).catch(() => undefined);
  return Number(/\(PostgreSQL\) (\d+)/.exec(answer?.stdout ?? '')?.[1] ?? 0);
}
