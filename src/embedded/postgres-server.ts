import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { LifeboatError } from '../domain/errors.ts';
import { runChild } from '../platform/child-process.ts';
import type { UnixUser } from '../platform/unprivileged-user.ts';
import type { ServerCommand } from './local-server.ts';

/** A PostgreSQL cluster on this machine, with the superuser `postgres` and a password (scram-sha-256, loopback TCP). */
export interface PostgresCluster {
  /** Folder of the server's programs; its libraries are expected in `../lib`. */
  readonly binDir: string;
  /** Holds the cluster (`data`) and its socket; made when absent. */
  readonly folder: string;
  readonly password: string;
  /** Account for the server; undefined runs it as ourselves. */
  readonly user: UnixUser | undefined;
}

const LIBRARIES = (binDir: string): Record<string, string> => ({ LD_LIBRARY_PATH: join(binDir, '..', 'lib') });

/** Makes the cluster: `initdb` with data in UTF-8 and C.UTF-8, the one locale that every image has. */
export async function createCluster(cluster: PostgresCluster, signal: AbortSignal): Promise<void> {
  await mkdir(cluster.folder, { recursive: true });
  await chmod(cluster.folder, 0o700);
  const passwordFile = join(cluster.folder, 'initial-password');
  await writeFile(passwordFile, `${cluster.password}\n`, { mode: 0o600 });
  if (cluster.user !== undefined) {
    await Promise.all(
      [cluster.folder, passwordFile].map(async (path) => chown(path, cluster.user!.uid, cluster.user!.gid)),
    );
  }
  const { exit } = await runChild({
    name: 'initdb',
    command: join(cluster.binDir, 'initdb'),
    args: [
      `--pgdata=${join(cluster.folder, 'data')}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C.UTF-8',
      '--no-sync',
    ],
    env: LIBRARIES(cluster.binDir),
    cwd: cluster.folder,
    signal,
    ...(cluster.user === undefined ? {} : { user: cluster.user }),
  });
  if (exit.code !== 0) {
    throw new LifeboatError(
      'SERVER_NOT_STARTED',
      `create a postgresql cluster in ${cluster.folder}: ${exit.stderrTail}`,
    );
  }
}

/** The command that runs the cluster on a port of 127.0.0.1; ready when it takes a query. */
export function postgresCommand(
  cluster: PostgresCluster,
  port: number,
  settings: Readonly<Record<string, string>>,
): ServerCommand {
  const all = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: cluster.folder,
    ...settings,
  };
  return {
    name: 'postgres',
    command: join(cluster.binDir, 'postgres'),
    args: [
      '-D',
      join(cluster.folder, 'data'),
      ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    env: LIBRARIES(cluster.binDir),
    cwd: cluster.folder,
    endSignal: 'SIGINT',
    isReady: async () => answersQuery(port, cluster.password),
    ...(cluster.user === undefined ? {} : { user: cluster.user }),
  };
}

async function answersQuery(port: number, password: string): Promise<boolean> {
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password,
    database: 'postgres',
    ssl: false,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const result = await client.query('select 1 as one');
    return result.rowCount === 1;
  } finally {
    await client.end().catch(() => undefined);
  }
}
