import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../config/schema/config.ts';
import { provisionedPostgresFolders } from '../embedded/toolbox.ts';
import { runChild } from '../platform/child-process.ts';
import { inheritedEnvironment } from '../platform/environment.ts';
import { findExecutable } from '../platform/executable.ts';
import { systemErrorCode } from '../platform/system-error.ts';
import type { PostgresServerTools } from '../postgres/physical/physical.ts';
import type { PostgresTools } from '../postgres/postgres.ts';
import { resolveTools } from '../postgres/tools/client-tools.ts';
import { findServerTools } from '../postgres/tools/server-tools.ts';
import { libraryPath } from '../postgres/tools/tool-environment.ts';

/** Where Debian keeps the programs of each major version, off PATH. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';
/** A program that does not even tell its version in this time is not used. */
const VERSION_LIMIT_MS = 20_000;

/**
 * The client tools of a configuration. What it names is used or refused; otherwise the newest set on this machine: a dump
 * needs tools of the server's major version or a later one, and what is first on PATH is often older.
 * @throws LifeboatError POSTGRES_TOOL_MISSING
 */
export async function findPostgresTools(config: Config, stateDir: string): Promise<PostgresTools> {
  const { binDir, pgDumpPath, pgRestorePath } = config.postgres;
  const path = inheritedEnvironment()['PATH'] ?? '';
  const named = {
    ...(pgDumpPath === 'pg_dump' ? {} : { pgDumpPath }),
    ...(pgRestorePath === 'pg_restore' ? {} : { pgRestorePath }),
  };
  if (binDir !== undefined) return resolveTools({ ...named, binDir, path });
  const folders = await foldersByVersion(path, stateDir);
  const newest = resolveTools({ ...named, path: [...folders.map(({ folder }) => folder), path].join(':') });
  // A program that is named is meant for every server.
  return Object.keys(named).length > 0 ? newest : { ...newest, ofMajor: (major) => toolsOf(major, folders) };
}

/**
 * The server programs of a major version: for a base backup, and for an instance that a restore replays in.
 * @throws LifeboatError POSTGRES_SERVER_MISSING
 */
export async function findServerToolsOf(major: number, config: Config, stateDir: string): Promise<PostgresServerTools> {
  return findServerTools(major, {
    binDir: config.postgres.binDir,
    path: inheritedEnvironment()['PATH'] ?? '',
    folders: await provisionedPostgresFolders(stateDir),
  });
}

interface Folder {
  readonly folder: string;
  readonly major: number;
}

/** Complete sets only: half of one version and half of another is what nobody has tried. */
function toolsOf(major: number, folders: readonly Folder[]): PostgresTools | undefined {
  const found = folders.find(({ folder, major: has }) => {
    const programs = ['pg_dump', 'pg_restore', 'pg_dumpall', 'psql'];
    return has === major && programs.every((name) => findExecutable(join(folder, name), undefined) !== undefined);
  });
  return found === undefined ? undefined : resolveTools({ binDir: found.folder });
}

/** Folders that hold a pg_dump, newest version first. */
async function foldersByVersion(path: string, stateDir: string): Promise<readonly Folder[]> {
  const onPath = findExecutable('pg_dump', path);
  const folders = [
    ...(onPath === undefined ? [] : [dirname(onPath)]),
    ...(await debianFolders()),
    ...(await provisionedPostgresFolders(stateDir)),
  ];
  const versions = await Promise.all(folders.map(async (folder) => ({ folder, major: await majorVersion(folder) })));
  return versions.filter(({ major }) => major > 0).toSorted((a, b) => b.major - a.major);
}

async function debianFolders(): Promise<readonly string[]> {
  const versions = await readdir(DEBIAN_FOLDER).catch((error: unknown) => {
    if (systemErrorCode(error) === undefined) throw error;
    // Not Debian, or not for us to look into: the other places remain.
    return [];
  });
  return versions.map((version) => join(DEBIAN_FOLDER, version, 'bin'));
}

/** Major version of a folder's pg_dump; 0 where it does not run. */
async function majorVersion(folder: string): Promise<number> {
  const command = join(folder, 'pg_dump');
  const signal = AbortSignal.timeout(VERSION_LIMIT_MS);
  const request = { name: 'pg_dump', command, args: ['--version'], env: libraryPath(command), signal };
  // A program that cannot be started is one that cannot be used.
  const answer = await runChild(request).catch(() => undefined);
  return Number(/\(PostgreSQL\) (\d+)/.exec(answer?.stdout ?? '')?.[1] ?? 0);
}
