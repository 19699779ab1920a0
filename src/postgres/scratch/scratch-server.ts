import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { spawnChild, type Child } from '../../platform/child-process.ts';
import type { UnixUser } from '../../platform/unprivileged-user.ts';
import { libraryPath } from '../tools/tool-environment.ts';
import type { StartScratch } from './scratch.ts';
import { followLog, type ServerLog } from './server-log.ts';

/** Part of the socket's name only: nothing listens on a network. */
export const SCRATCH_PORT = 5432;

/** What runs, for those who wait for it. */
export interface ScratchServer {
  readonly child: Child;
  readonly log: ServerLog;
  readonly ended: () => boolean;
  /** POSTGRES_SCRATCH_FAILED with the end of the log. */
  failure(what: string): LifeboatError;
}

/** Needs `postgresql.conf` in `place.folder`. */
export function startServer(
  { directory, tools }: StartScratch,
  place: { readonly folder: string; readonly user: UnixUser | undefined; readonly operation: Operation },
): ScratchServer {
  const { folder, user, operation } = place;
  const child = spawnChild({
    name: 'postgres',
    command: '/bin/sh',
    // The log comes on stdout, where all of it can be read while the server runs.
    args: ['-c', 'exec "$0" "$@" 2>&1', tools.postgres, '-D', directory, '-c', `config_file=${folder}/postgresql.conf`],
    env: { ...libraryPath(tools.postgres), LC_ALL: 'C' },
    cwd: directory,
    endSignal: 'SIGINT',
    signal: operation.signal,
    ...(user === undefined ? {} : { user }),
  });
  const log = followLog(child.stdout);
  let ended = false;
  void child.exited.then(() => (ended = true));
  const failure = (what: string): LifeboatError =>
    new LifeboatError('POSTGRES_SCRATCH_FAILED', `run a server on ${directory}: ${what}: ${log.tail()}`);
  return { child, log, ended: () => ended, failure };
}
