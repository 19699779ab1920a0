import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LifeboatError } from '../../domain/errors.ts';
import { runChild } from '../../platform/child-process.ts';
import { findExecutable } from '../../platform/executable.ts';
import type { PostgresTools } from '../postgres.ts';
import { withScratch } from './scratch.ts';
import { libraryPath } from './tool-environment.ts';

export interface ToolPlaces {
  /** Paths from the configuration; they win. */
  readonly pgDumpPath?: string;
  readonly pgRestorePath?: string;
  /** Folder of all tools, from the configuration: tools that no path names come from here and from nowhere else. */
  readonly binDir?: string;
  /** PATH syntax; for what the configuration does not name, and for names without a folder. */
  readonly path?: string;
}

/** Major versions, and what pg_dump can do by itself. */
export interface ToolVersions {
  readonly pgDump: number;
  readonly pgRestore: number;
  readonly pgDumpall: number;
  readonly psql: number;
  /** pg_dump was built with zstd and takes `--compress=zstd:LEVEL` (16 and later). */
  readonly zstd: boolean;
}

/** Finds the client tools. What is named is used or refused. @throws LifeboatError POSTGRES_TOOL_MISSING naming the first that is nowhere */
export function resolveTools(places: ToolPlaces): PostgresTools {
  const { binDir, pgDumpPath, pgRestorePath } = places;
  const path = places.path ?? '';
  const find = (name: string): string => {
    if (binDir !== undefined) return requireTool({ name, command: join(binDir, name), key: 'postgres.binDir' }, path);
    return requireTool({ name, command: name }, path);
  };
  const named = (name: string, command: string | undefined, key: string): string =>
    command === undefined ? find(name) : requireTool({ name, command, key }, path);
  return {
    pgDump: named('pg_dump', pgDumpPath, 'postgres.pgDumpPath'),
    pgRestore: named('pg_restore', pgRestorePath, 'postgres.pgRestorePath'),
    pgDumpall: find('pg_dumpall'),
    psql: find('psql'),
  };
}

/** `key`: what names the command in the configuration; a command that is named has no substitute. */
function requireTool(
  { name, command, key }: { readonly name: string; readonly command: string; readonly key?: string },
  path: string,
): string {
  const found = findExecutable(command, path);
  if (found !== undefined) return found;
  const place = command.includes('/') ? 'no such program' : `not in ${path === '' ? 'any folder' : path}`;
  throw new LifeboatError('POSTGRES_TOOL_MISSING', `find ${name}: ${command}: ${place}`, {
    details: { tool: name, command, ...(key === undefined ? {} : { key }) },
    ...(key === undefined
      ? {}
      : { hint: `${key} names it: correct that, or leave it out to use what this machine has` }),
  });
}

/** Asks every tool for its version, once. @throws LifeboatError POSTGRES_TOOL_MISSING */
export async function probeTools(tools: PostgresTools, scratchDir: string): Promise<ToolVersions> {
  const [pgDump, pgRestore, pgDumpall, psql, zstd] = await Promise.all([
    majorVersion('pg_dump', tools.pgDump),
    majorVersion('pg_restore', tools.pgRestore),
    majorVersion('pg_dumpall', tools.pgDumpall),
    majorVersion('psql', tools.psql),
    canZstd(tools.pgDump, scratchDir),
  ]);
  return { pgDump, pgRestore, pgDumpall, psql, zstd };
}

/** pg_dump refuses a newer server, and pg_restore an archive of a newer pg_dump. */
export function requireToolsFor(versions: ToolVersions, serverVersion: number): void {
  const server = Math.floor(serverVersion / 10_000);
  for (const [name, major] of [
    ['pg_dump', versions.pgDump],
    ['pg_restore', versions.pgRestore],
    ['pg_dumpall', versions.pgDumpall],
  ] as const) {
    if (major >= server) continue;
    throw new LifeboatError('POSTGRES_TOOL_TOO_OLD', `${name} is of version ${major}, the server of ${server}`, {
      details: { tool: name, toolMajor: major, serverMajor: server },
    });
  }
}

const PROBE_LIMIT_MS = 20_000;

async function majorVersion(name: string, tool: string): Promise<number> {
  const { stdout, exit } = await probe(name, tool, ['--version']);
  const major = /\(PostgreSQL\) (\d+)/.exec(stdout)?.[1];
  if (major !== undefined) return Number(major);
  throw new LifeboatError(
    'POSTGRES_TOOL_MISSING',
    `ask ${name} for its version: ${tool}: exit ${exit.code}: ${exit.stderrTail}`,
  );
}

/**
 * pg_dump checks its compression method, creates the output file and connects, in this order: a file left behind by a
 * connection that cannot work means that the method is there.
 */
async function canZstd(pgDump: string, scratchDir: string): Promise<boolean> {
  return withScratch(scratchDir, async (folder) => {
    const file = join(folder, 'probe');
    const args = ['--format=custom', '--compress=zstd:1', `--file=${file}`, `--host=${folder}`, '--no-password'];
    await probe('pg_dump', pgDump, args);
    return stat(file).then(
      () => true,
      () => false,
    );
  });
}

function probe(name: string, command: string, args: readonly string[]): ReturnType<typeof runChild> {
  return runChild({ name, command, args, env: libraryPath(command), signal: AbortSignal.timeout(PROBE_LIMIT_MS) });
}
