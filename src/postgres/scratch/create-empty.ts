import { chown, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { runChild } from '../../platform/child-process.ts';
import type { PostgresServerTools } from '../physical/physical.ts';
import { libraryPath } from '../tools/tool-environment.ts';
import { serverAccount } from './server-account.ts';

/** The superuser that `createEmptyCluster` makes. */
export const EMPTY_CLUSTER_USER = 'postgres';

/**
 * A cluster with nothing in it, for a scratch server that takes a dump. C.UTF-8 is the one locale that every image has; a restored
 * database brings its own.
 * @param request `directory` is made; its parent must let the server's account in
 * @throws LifeboatError POSTGRES_SERVER_MISSING without initdb, POSTGRES_SCRATCH_FAILED
 */
export async function createEmptyCluster(
  { directory, tools }: { readonly directory: string; readonly tools: PostgresServerTools },
  operation: Operation,
): Promise<void> {
  const user = await serverAccount();
  await mkdir(directory, { mode: 0o700 });
  if (user !== undefined) await chown(directory, user.uid, user.gid);
  const command = join(dirname(tools.postgres), 'initdb');
  operation.onProgress({ phase: 'making an empty cluster', bytes: 0 });
  const { exit } = await runChild({
    name: 'initdb',
    command,
    args: [
      `--pgdata=${directory}`,
      `--username=${EMPTY_CLUSTER_USER}`,
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C.UTF-8',
      '--no-sync',
    ],
    env: { ...libraryPath(command), LC_ALL: 'C' },
    cwd: directory,
    signal: operation.signal,
    ...(user === undefined ? {} : { user }),
  });
  if (exit.code === 0) return;
  throw new LifeboatError('POSTGRES_SCRATCH_FAILED', `make an empty cluster in ${directory}: ${exit.stderrTail}`);
}
