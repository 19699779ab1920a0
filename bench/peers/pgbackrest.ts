import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runChild } from '../../src/platform/child-process.ts';
import { unprivilegedUser } from '../../src/platform/unprivileged-user.ts';

/** pgBackRest of the distribution (`apt-get install pgbackrest`), two processes, zstd 3, encrypted with its own cipher. */
export interface PgBackRest {
  /** For archive_command. */
  readonly archiveCommand: string;
  prepare(server: {
    readonly dataDir: string;
    readonly port: number;
    readonly socketDir: string;
    readonly password: string;
  }): Promise<void>;
  backup(): Promise<void>;
  /** Into an empty folder; recovery is configured as pgBackRest does it, the server is not started. */
  restore(directory: string): Promise<void>;
}

const STANZA = 'bench';

/** `repository`: lines of its configuration for a place other than a folder. */
export async function createPgBackRest(folder: string, repository?: readonly string[]): Promise<PgBackRest> {
  const user = (await unprivilegedUser()) ?? undefined;
  const config = join(folder, 'pgbackrest.conf');
  let password = '';
  const run = async (...args: readonly string[]): Promise<void> => {
    const { exit, stdout } = await runChild({
      name: 'pgbackrest',
      command: 'pgbackrest',
      args: [`--config=${config}`, `--stanza=${STANZA}`, ...args],
      env: { PGPASSWORD: password },
      cwd: folder,
      signal: new AbortController().signal,
      ...(user === undefined ? {} : { user }),
    });
    if (exit.code !== 0)
      throw new Error(`pgbackrest ${args.join(' ')}: exit ${exit.code}: ${stdout}${exit.stderrTail}`);
  };
  return {
    archiveCommand: `pgbackrest --config=${config} --stanza=${STANZA} archive-push %p`,
    async prepare({ dataDir, port, socketDir, password: given }) {
      password = given;
      for (const name of ['repo', 'lock', 'log', 'spool']) {
        await mkdir(join(folder, name), { recursive: true });
        if (user !== undefined) await chown(join(folder, name), user.uid, user.gid);
      }
      const lines = [
        '[global]',
        ...(repository ?? [`repo1-path=${folder}/repo`]),
        'repo1-retention-full=2',
        'repo1-cipher-type=aes-256-cbc',
        'repo1-cipher-pass=a-pass-of-the-benchmark-and-nothing-else',
        'compress-type=zst',
        'compress-level=3',
        'process-max=2',
        'start-fast=y',
        `lock-path=${folder}/lock`,
        `log-path=${folder}/log`,
        `spool-path=${folder}/spool`,
        'log-level-console=off',
        'log-level-file=off',
        'log-level-stderr=error',
        `[${STANZA}]`,
        `pg1-path=${dataDir}`,
        `pg1-port=${port}`,
        `pg1-socket-path=${socketDir}`,
        'pg1-user=postgres',
      ];
      await writeFile(config, `${lines.join('\n')}\n`, { mode: 0o644 });
      await run('stanza-create');
    },
    backup: async () => run('--type=full', 'backup'),
    restore: async (directory) =>
      run(`--pg1-path=${directory}`, '--archive-mode=off', '--type=immediate', '--target-action=promote', 'restore'),
  };
}
