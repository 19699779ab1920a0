import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { runChild } from '../../platform/child-process.ts';
import type { UnixUser } from '../../platform/unprivileged-user.ts';
import { libraryPath } from '../tools/tool-environment.ts';
import { readClusterState } from './control-data.ts';
import type { StartScratch } from './scratch.ts';
import type { ScratchServer } from './scratch-server.ts';

/** The last checkpoint writes what the replay has changed and 128 MB of buffers hold: minutes on a slow disk. */
const LIMIT_SECONDS = 600;
const CLEAN = 'shut down';

/**
 * Shuts a server down and looks whether it was: its directory needs no recovery then. pg_ctl tells the server alone, where a signal
 * to its group would reach the checkpointer too early.
 * @throws LifeboatError POSTGRES_SCRATCH_FAILED
 */
export async function shutDownServer(
  { directory, tools }: Pick<StartScratch, 'directory' | 'tools'>,
  context: { readonly server: ScratchServer; readonly user: UnixUser | undefined; readonly operation: Operation },
): Promise<void> {
  const { server, user, operation } = context;
  operation.onProgress({ phase: 'shutting down', bytes: 0 });
  const { exit } = await runChild({
    name: 'pg_ctl',
    command: tools.pgCtl,
    args: ['stop', '--pgdata', directory, '--mode', 'fast', '--wait', '--timeout', String(LIMIT_SECONDS)],
    env: { ...libraryPath(tools.pgCtl), LC_ALL: 'C' },
    cwd: directory,
    signal: operation.signal,
    ...(user === undefined ? {} : { user }),
  });
  if (exit.code !== 0) throw server.failure(`pg_ctl stop: ${exit.stderrTail}`);
  await server.child.exited;
  const state = await readClusterState(tools, directory);
  if (state === CLEAN) return;
  throw new LifeboatError('POSTGRES_SCRATCH_FAILED', `shut a server on ${directory} down: it is "${state}"`);
}
