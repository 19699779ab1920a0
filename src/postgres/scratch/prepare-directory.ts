import { existsSync } from 'node:fs';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { syncTree } from '../../platform/sync-tree.ts';
import type { PostgresServerTools } from '../physical/physical.ts';
import { readClusterState } from './control-data.ts';
import { keptSettings, withoutPlaces } from './copied-settings.ts';
import { giveTo, serverAccount } from './server-account.ts';
import { DETACHED, renderSettings } from './settings.ts';

/** Folder in a data directory for WAL segments and timeline history files beyond its own, each under its own name. */
export const WAL_FOLDER = 'lifeboat_wal';

/**
 * Copies from WAL_FOLDER. A file that is not there is 1, "no such segment"; any other trouble is above 125 and stops recovery,
 * which would otherwise end early and take the copy for complete.
 */
export const RESTORE_FROM_FOLDER = `[ -f "${WAL_FOLDER}/%f" ] || exit 1; cp "${WAL_FOLDER}/%f" "%p" || exit 200`;

export interface PrepareDirectory {
  /** A data directory that a scratch instance has replayed, promoted and shut down. */
  readonly directory: string;
  readonly tools: PostgresServerTools;
  readonly operation: Operation;
}

/** What belonged to the replay, or to the base as it was taken. */
const LEFT_OVER = [
  WAL_FOLDER,
  'recovery.signal',
  'standby.signal',
  'postmaster.opts',
  'backup_manifest',
  'backup_label.old',
  'tablespace_map.old',
  'postgresql.auto.conf.source',
];

/** For a source that kept its configuration elsewhere (Debian: /etc). */
const MISSING = {
  'postgresql.conf': '# the source kept its own elsewhere: this one was made when the copy was restored\n',
  'pg_hba.conf': 'local all all peer\nhost all all 127.0.0.1/32 scram-sha-256\nhost all all ::1/128 scram-sha-256\n',
  'pg_ident.conf': '',
};

/**
 * Leaves a data directory that `postgres -D` opens as it is, without recovery and without any of our programs. Archiving is off; the
 * source's primary, standbys and subscriptions are not reached from it. What is left of its settings is the source's. As root
 * all of it becomes the account's that servers run under. Everything is on the disk when this settles.
 * @throws LifeboatError POSTGRES_SCRATCH_FAILED where the directory was not shut down
 */
export async function prepareTargetDirectory({ directory, tools, operation }: PrepareDirectory): Promise<void> {
  const state = await readClusterState(tools, directory);
  if (state !== 'shut down') {
    throw new LifeboatError('POSTGRES_SCRATCH_FAILED', `prepare ${directory} for a server: it is "${state}"`);
  }
  const kept = keptSettings(await textOf(join(directory, 'postgresql.auto.conf.source')));
  const settings = `${kept}\n# added when this copy was restored\n${renderSettings(DETACHED)}`;
  await writeFile(join(directory, 'postgresql.auto.conf'), settings, { mode: 0o600 });
  for (const [name, content] of Object.entries(MISSING)) {
    if (!existsSync(join(directory, name))) await writeFile(join(directory, name), content, { mode: 0o600 });
  }
  const main = join(directory, 'postgresql.conf');
  await writeFile(main, withoutPlaces(await readFile(main, 'utf8')));
  for (const name of LEFT_OVER) await rm(join(directory, name), { recursive: true, force: true });
  await giveTo(await serverAccount(), directory);
  await chmod(directory, 0o700);
  // The instance that replayed wrote without fsync.
  await syncTree(directory, operation);
}

async function textOf(path: string): Promise<string> {
  return existsSync(path) ? readFile(path, 'utf8') : '';
}
