import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { runChild } from '../../platform/child-process.ts';
import { libraryPath } from '../tools/tool-environment.ts';
import { checksumKindOf, parseBackupManifest } from './backup-manifest.ts';
import type { ChecksumKind } from './file-checksum.ts';
import type { PostgresServerTools } from './physical.ts';
import { verifyDirectory } from './verify-directory.ts';

/**
 * See PhysicalBackup.combine. `--copy` leaves the inputs whole, whatever happens; it fsyncs the result. Checksums are of one kind in all
 * manifests, so that those of files that are only copied are taken over and damage on the way is seen.
 */
export async function combineBases(
  tools: PostgresServerTools,
  { chain, directory }: { readonly chain: readonly string[]; readonly directory: string },
  operation: Operation,
): Promise<Check> {
  const command = tools.pgCombinebackup;
  if (command === undefined) {
    throw new LifeboatError(
      'POSTGRES_SERVER_MISSING',
      `combine base backups: PostgreSQL ${tools.major} has no pg_combinebackup, 17 is the first version with it`,
    );
  }
  const args = ['--copy', `--manifest-checksums=${await kindOf(chain)}`, `--output=${directory}`, ...chain];
  const { signal } = operation;
  const watch = watchGrowth(directory, operation);
  try {
    const { exit } = await runChild({ name: 'pg_combinebackup', command, args, env: libraryPath(command), signal });
    const how = exit.signal === null ? `exit ${exit.code}` : `ended by ${exit.signal}`;
    if (exit.code !== 0) throw failed(`${how}: ${exit.stderrTail}`);
    // It goes on when checksums of pages were switched on or off in between, and makes pages that a server refuses.
    if (/only some backups have checksums enabled/.test(exit.stderrTail)) throw failed(exit.stderrTail);
  } finally {
    watch.stop();
  }
  return verifyDirectory(directory, operation);
}

function failed(what: string): LifeboatError {
  return new LifeboatError('POSTGRES_COMBINE_FAILED', `combine base backups: pg_combinebackup: ${what}`);
}

async function kindOf(chain: readonly string[]): Promise<ChecksumKind> {
  const bytes = await readFile(join(chain.at(-1) ?? '', 'backup_manifest'));
  return checksumKindOf(parseBackupManifest(bytes));
}

const LOOK_MS = 2_000;

/** pg_combinebackup tells nothing while it works; what it has written tells that it does. */
function watchGrowth(directory: string, { onProgress }: Operation): { stop(): void } {
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    const bytes = await folderBytes(directory);
    if (bytes !== undefined) onProgress({ phase: 'combining bases', object: 'data directory', bytes });
    looking = false;
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  void look();
  return { stop: () => clearInterval(timer) };
}

async function folderBytes(directory: string): Promise<number | undefined> {
  let bytes = 0;
  try {
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
    }
    return bytes;
  } catch {
    // Not there yet, or changed while it was looked at: the next look counts anew, and the program itself says what fails.
    return undefined;
  }
}
