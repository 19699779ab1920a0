import { existsSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../platform/files.ts';
import type { PostgresServerTools } from '../physical/physical.ts';
import { readMinimumSettings } from './control-data.ts';
import type { Recovery } from './scratch.ts';
import { giveTo, serverAccount } from './server-account.ts';
import { DETACHED, recoverySettings, renderSettings, type Settings } from './settings.ts';

/** Folder in a data directory for WAL segments and timeline history files beyond its own, each under its own name. */
export const WAL_FOLDER = 'lifeboat_wal';

/**
 * Copies from WAL_FOLDER. A file that is not there is 1, "no such segment"; any other trouble is above 125 and stops recovery,
 * which would otherwise end early and take the copy for complete.
 */
export const RESTORE_FROM_FOLDER = `[ -f "${WAL_FOLDER}/%f" ] || exit 1; cp "${WAL_FOLDER}/%f" "%p" || exit 200`;

export interface PrepareDirectory {
  /** A data directory as it was unpacked. */
  readonly directory: string;
  readonly tools: PostgresServerTools;
  /** The target of the recovery that the first start runs; it promotes there, so that the copy has a timeline of its own. */
  readonly recovery: Pick<Recovery, 'target' | 'timeline'>;
}

/**
 * Leaves a data directory that `pg_ctl start` recovers and opens, without any of our programs. Archiving is off, the source's
 * primary and standbys are forgotten; a configuration that the source kept elsewhere (Debian: /etc) is replaced by a
 * small one. As root all of it becomes the account's that servers run under.
 */
export async function prepareTargetDirectory({ directory, tools, recovery }: PrepareDirectory): Promise<void> {
  const hasWal = existsSync(join(directory, WAL_FOLDER));
  const settings = {
    ...DETACHED,
    // The source may have had them from its command line, or from a file elsewhere.
    ...(await minimumOf(tools, directory)),
    ...recoverySettings({ ...recovery, action: 'promote', ...(hasWal ? { restoreCommand: RESTORE_FROM_FOLDER } : {}) }),
  };
  await rm(join(directory, 'standby.signal'), { force: true });
  await durably(join(directory, 'recovery.signal'), '');
  const auto = join(directory, 'postgresql.auto.conf');
  await durably(auto, `${await keptSettings(auto)}\n# added when this copy was restored\n${renderSettings(settings)}`);
  const files = {
    'postgresql.conf': '# the source kept its own elsewhere: this one was made when the copy was restored\n',
    'pg_hba.conf': 'local all all peer\nhost all all 127.0.0.1/32 scram-sha-256\nhost all all ::1/128 scram-sha-256\n',
    'pg_ident.conf': '',
  };
  for (const [name, content] of Object.entries(files)) {
    if (!existsSync(join(directory, name))) await durably(join(directory, name), content);
  }
  await giveTo(await serverAccount(), directory);
  await syncFolder(directory);
}

/** What ALTER SYSTEM had set on the source, without the targets of an earlier recovery: this file wins over postgresql.conf. */
async function keptSettings(auto: string): Promise<string> {
  if (!existsSync(auto)) return '';
  const lines = (await readFile(auto, 'utf8')).split('\n');
  return lines.filter((line) => !line.startsWith('recovery_target')).join('\n');
}

async function minimumOf(tools: PostgresServerTools, directory: string): Promise<Settings> {
  const minimum = await readMinimumSettings(tools, directory);
  return Object.fromEntries(Object.entries(minimum).map(([name, value]) => [name, String(value)]));
}

async function durably(path: string, content: string): Promise<void> {
  const handle = await open(path, 'w', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
