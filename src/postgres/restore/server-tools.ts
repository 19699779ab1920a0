import { open } from 'node:fs/promises';
import type { PostgresTools } from '../postgres.ts';
import { probeTools, type ToolVersions } from '../tools/client-tools.ts';

export interface ChosenTools {
  readonly tools: PostgresTools;
  readonly versions: ToolVersions;
}

/** pg_restore 17 and later begins with a setting (transaction_timeout) that older servers refuse. */
const FIRST_NEWER_MAJOR = 17;

/** Whether pg_restore cannot talk to the server itself: then psql runs what pg_restore writes, one connection at a time. */
export function needsScript({ versions }: ChosenTools, serverVersion: number): boolean {
  return versions.pgRestore >= FIRST_NEWER_MAJOR && serverVersion < FIRST_NEWER_MAJOR * 10_000;
}

/**
 * The tools to load an archive with. Where those at hand would need psql in between, the ones of the server's own major
 * version are taken instead, if this machine has them and they read this archive; what is given otherwise.
 */
export async function chooseTools(
  given: ChosenTools,
  load: { readonly serverVersion: number; readonly archive: string; readonly scratchDir: string },
): Promise<ChosenTools> {
  const { serverVersion, archive, scratchDir } = load;
  if (!needsScript(given, serverVersion)) return given;
  const tools = given.tools.ofMajor?.(Math.floor(serverVersion / 10_000));
  if (tools === undefined) return given;
  const header = await readHeader(archive);
  const versions = await probeTools(tools, scratchDir);
  return header !== undefined && reads(versions, header) ? { tools, versions } : given;
}

interface ArchiveHeader {
  /** The second number of the archive format: 15 of 1.15. */
  readonly format: number;
  /** Of the table data. Before 1.15 there was only zlib. */
  readonly zstd: boolean;
}

/** Newest archive format that each major version reads: `K_VERS_MAX` in pg_backup_archiver.h of its branch. */
const NEWEST_FORMAT: Readonly<Record<number, number>> = { 15: 14, 16: 15 };
const FIRST_WITH_ALGORITHMS = 15;
const ZSTD = 3;
const HEADER_BYTES = 12;

function reads(versions: ToolVersions, { format, zstd }: ArchiveHeader): boolean {
  return format <= (NEWEST_FORMAT[versions.pgRestore] ?? 0) && (!zstd || versions.zstd);
}

/**
 * Magic, three bytes of version, sizes of int and offset, format, and from 1.15 on the algorithm: ReadHead() in
 * pg_backup_archiver.c. Undefined for anything else; pg_restore says what is wrong with it.
 */
async function readHeader(archive: string): Promise<ArchiveHeader | undefined> {
  const file = await open(archive);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    if (bytesRead < HEADER_BYTES || buffer.toString('latin1', 0, 5) !== 'PGDMP' || buffer[5] !== 1) return undefined;
    const format = buffer.readUInt8(6);
    return { format, zstd: format >= FIRST_WITH_ALGORITHMS && buffer[11] === ZSTD };
  } finally {
    await file.close();
  }
}
