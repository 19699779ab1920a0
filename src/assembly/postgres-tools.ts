import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../config/schema/config.ts';
import { createToolbox } from '../embedded/toolbox.ts';
import { runChild } from '../platform/child-process.ts';
import { inheritedEnvironment } from '../platform/environment.ts';
import { findExecutable } from '../platform/executable.ts';
import type { PostgresTools } from '../postgres/postgres.ts';
import { resolveTools } from '../postgres/tools/client-tools.ts';

/** Where Debian keeps the programs of each major version, off PATH. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';

/**
 * The client tools of a configuration. What it names wins; otherwise the newest set on this machine: a dump needs tools of
 * the server's major version or a later one, and what is first on PATH is often older.
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
  return resolveTools({ ...named, path: [...(await foldersByVersion(path, stateDir)), path].join(':') });
}

/** Folders that hold a pg_dump, newest version first. */
async function foldersByVersion(path: string, stateDir: string): Promise<string[]> {
  const onPath = findExecutable('pg_dump', path);
  const debian = await readdir(DEBIAN_FOLDER).catch(() => [] as string[]);
  const folders = [
    ...(onPath === undefined ? [] : [dirname(onPath)]),
    ...debian.map((version) => join(DEBIAN_FOLDER, version, 'bin')),
    ...(await provisionedFolder(stateDir)),
  ];
  const versions = await Promise.all(folders.map(async (folder) => ({ folder, major: await majorVersion(folder) })));
  const found = versions.filter(({ major }) => major > 0);
  return found.toSorted((a, b) => b.major - a.major).map(({ folder }) => folder);
}

async function provisionedFolder(stateDir: string): Promise<string[]> {
  const { signal } = new AbortController();
  const toolbox = createToolbox({ stateDir, signal, onPhase: () => {}, download: false });
  // Not provisioned is the usual case on a machine with tools of its own: the others are looked at.
  return toolbox.pinnedPostgresBinDir(18).then(
    (folder) => [folder],
    () => [],
  );
}

/** Major version of a folder's pg_dump; 0 where it does not run. */
async function majorVersion(folder: string): Promise<number> {
  const library = { LD_LIBRARY_PATH: join(folder, '..', 'lib') };
  const { signal } = new AbortController();
  const request = { name: 'pg_dump', command: join(folder, 'pg_dump'), args: ['--version'], env: library, signal };
  // A program that cannot be started is one that cannot be used.
  const answer = await runChild(request).catch(() => undefined);
  return Number(/\(PostgreSQL\) (\d+)/.exec(answer?.stdout ?? '')?.[1] ?? 0);
}
