import { chown, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { systemErrorCode } from '../../platform/system-error.ts';
import type { UnixUser } from '../../platform/unprivileged-user.ts';
import { withMaintenance } from '../connection/maintenance.ts';
import type { PostgresTarget } from '../postgres.ts';
import { readMinimumSettings } from './control-data.ts';
import { awaitRecovery, promote } from './recovery.ts';
import type { Scratch, StartScratch } from './scratch.ts';
import { shutDownServer } from './shut-down.ts';
import { SCRATCH_PORT, startServer, type ScratchServer } from './scratch-server.ts';
import { createSocketFolder, giveTo, serverAccount } from './server-account.ts';
import { renderSettings, scratchSettings } from './settings.ts';

const READY_POLL_MS = 50;

/**
 * Starts a server on a restored data directory and resolves when it can be asked, which is when the base is consistent.
 * It dies with this process, with the operation's signal, and with `stop`.
 * @throws LifeboatError POSTGRES_SCRATCH_FAILED with the end of its log, NO_UNPRIVILEGED_USER
 */
export async function startScratch(request: StartScratch, operation: Operation): Promise<Scratch> {
  const user = await serverAccount();
  const folder = request.socketFolder ?? (await createSocketFolder(user));
  let server: ScratchServer | undefined;
  const clear = async (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await prepare(request, folder, user);
    server = startServer(request, { folder, user, operation });
    const target = await findSuperuser(request, { folder, server, operation });
    return createScratch({ request, server, target, user, operation, clear });
  } catch (error) {
    await server?.child.end();
    await clear();
    throw error;
  }
}

function createScratch(parts: {
  readonly request: StartScratch;
  readonly server: ScratchServer;
  readonly target: PostgresTarget;
  readonly user: UnixUser | undefined;
  readonly operation: Operation;
  readonly clear: () => Promise<void>;
}): Scratch {
  const { request, server, target, user, operation, clear } = parts;
  return {
    target,
    waitForRecovery: async () => awaitRecovery(server, { target, recovery: request.recovery, operation }),
    promote: async () => promote(server, { target, operation }),
    async stop() {
      await server.child.end();
      await clear();
    },
    async shutDown() {
      await shutDownServer(request, { server, user, operation });
      await clear();
    },
    async kill() {
      server.child.kill('SIGKILL');
      await server.child.exited;
      await clear();
    },
  };
}

/** The source's own files may name libraries, certificates and folders of its host: none of them is read. */
async function prepare(request: StartScratch, folder: string, user: UnixUser | undefined): Promise<void> {
  const { directory, tools, recovery } = request;
  const minimum = await readMinimumSettings(tools, directory);
  const settings = scratchSettings({ folder, port: SCRATCH_PORT, major: tools.major, minimum, recovery });
  await rename(join(directory, 'postgresql.auto.conf'), join(directory, 'postgresql.auto.conf.source')).catch(
    (error: unknown) => {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
    },
  );
  // A base of a standby has this file; with it recovery would wait for WAL for ever.
  await rm(join(directory, 'standby.signal'), { force: true });
  await writeFile(join(directory, 'recovery.signal'), '', { mode: 0o600 });
  await giveTo(user, directory);
  const files = {
    'postgresql.conf': renderSettings(settings),
    'pg_hba.conf': 'local all all trust\n',
    'pg_ident.conf': '',
  };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), content, { mode: 0o600 });
    if (user !== undefined) await chown(join(folder, name), user.uid, user.gid);
  }
}

/** Answers of a server that is not ready: no socket yet, or no consistent state yet. */
const NOT_READY = new Set(['POSTGRES_UNREACHABLE', 'POSTGRES_STARTING', 'POSTGRES_CONNECTION_LOST']);

/** Waits until the server can be asked, and asks for the one role that every cluster has. Bounded by the server's life and the signal. */
async function findSuperuser(
  { user, database }: StartScratch,
  context: { readonly folder: string; readonly server: ScratchServer; readonly operation: Operation },
): Promise<PostgresTarget> {
  const { folder, server, operation } = context;
  const candidates = [...new Set([user, 'postgres'])];
  for (let attempt = 0; ;) {
    operation.signal.throwIfAborted();
    const target = { host: folder, port: SCRATCH_PORT, user: candidates[attempt] ?? user, database };
    try {
      return { ...target, user: await superuserName(target, operation.signal) };
    } catch (error) {
      operation.signal.throwIfAborted();
      if (!(error instanceof LifeboatError)) throw error;
      if (server.ended()) throw server.failure('it ended');
      // 28000: no such role.
      if (error.code === 'POSTGRES_AUTH_FAILED' && attempt + 1 < candidates.length) attempt += 1;
      else if (NOT_READY.has(error.code)) await delay(READY_POLL_MS);
      else throw error;
    }
  }
}

/** The role that initdb made; it can be renamed, its number cannot. */
async function superuserName(target: PostgresTarget, signal: AbortSignal): Promise<string> {
  return withMaintenance(target, { doing: 'look into the restored cluster', about: [], signal }, async (session) => {
    const { name } = await session.one<{ name: string }>('SELECT rolname AS name FROM pg_roles WHERE oid = 10');
    return name;
  });
}
