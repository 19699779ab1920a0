import { chmod, chown, lchown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BaseBackupFacts } from '../../../src/domain/backup.ts';
import type { Operation } from '../../../src/domain/operation.ts';
import { startGuarded } from '../../../src/embedded/local-server.ts';
import { temporaryPlace } from '../../../src/embedded/places.ts';
import { postgresCommand } from '../../../src/embedded/postgres-server.ts';
import { runChild } from '../../../src/platform/child-process.ts';
import { freePort } from '../../../src/platform/ports.ts';
import { unprivilegedUser, type UnixUser } from '../../../src/platform/unprivileged-user.ts';
import { createPhysicalBackup } from '../../../src/postgres/physical/create-physical.ts';
import type {
  BaseSink,
  PhysicalBackup,
  PostgresServerTools,
  TakeBase,
} from '../../../src/postgres/physical/physical.ts';
import type { PostgresTarget } from '../../../src/postgres/postgres.ts';
import { findServerTools } from '../../../src/postgres/tools/server-tools.ts';
import { libraryPath } from '../../../src/postgres/tools/tool-environment.ts';
import { createWal } from '../../../src/postgres/wal/create-wal.ts';
import type { TestPostgres } from '../../support/servers.ts';
import type { PostgresMajor } from '../../support/tools.ts';
import { createStore } from '../postgres-support/stored-artifacts.ts';

export type Store = Awaited<ReturnType<typeof createStore>>;

export const untilDone: Operation = { signal: new AbortController().signal, onProgress: () => undefined };

export async function toolsOf({ binDir }: TestPostgres, major: PostgresMajor): Promise<PostgresServerTools> {
  return findServerTools(major, { binDir, path: '', folders: [] });
}

export function physicalOf(tools: PostgresServerTools, scratchDir: string): PhysicalBackup {
  return createPhysicalBackup({ tools, wal: createWal(), scratchDir });
}

export interface TakenBase {
  readonly facts: BaseBackupFacts;
  readonly store: Store;
}

/** Small pieces, so that even a small cluster has several. */
const PIECE_BYTES = 2 * 1024 * 1024;

export async function takeBase(
  physical: PhysicalBackup,
  target: PostgresTarget,
  more: Pick<TakeBase, 'parentManifest'> = {},
): Promise<TakenBase> {
  const store = await createStore();
  const sink: BaseSink = async (artifact, source) =>
    store.sink({ ...artifact, format: artifact.format as never }, copied(source));
  const facts = await physical.takeBase({ target, pieceBytes: PIECE_BYTES, ...more }, { sink, operation: untilDone });
  return { facts, store };
}

/** A file stream keeps chunks after it has asked for the next one. */
async function* copied(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) yield Buffer.from(chunk);
}

export async function unpack(physical: PhysicalBackup, { store }: Pick<TakenBase, 'store'>, directory: string) {
  const request = { directory, artifacts: store.artifacts, jobs: 2 };
  return physical.unpackBase(request, { source: store.source, operation: untilDone });
}

/** A folder that the account of the servers owns and can enter. */
export async function serverFolder(): Promise<{ readonly folder: string; readonly user: UnixUser | undefined }> {
  const user = (await unprivilegedUser()) ?? undefined;
  const folder = await mkdtemp(join(await temporaryPlace(user), 'lifeboat-test-physical-'));
  await chmod(folder, 0o700);
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  return { folder, user };
}

export async function giveAll(user: UnixUser | undefined, path: string): Promise<void> {
  if (user === undefined) return;
  await lchown(path, user.uid, user.gid);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await giveAll(user, join(path, entry.name));
    else await lchown(join(path, entry.name), user.uid, user.gid);
  }
}

/** Starts the data directory `data` of a folder as a server on TCP, with the password of the test servers. */
export async function startDirectory(
  { binDir, target }: TestPostgres,
  place: { readonly folder: string; readonly user: UnixUser | undefined },
  settings: Readonly<Record<string, string>>,
): Promise<{ readonly target: PostgresTarget; stop(): Promise<void> }> {
  const port = await freePort();
  const password = target.password ?? '';
  const command = postgresCommand({ binDir, folder: place.folder, password, user: place.user }, port, settings);
  const child = await startGuarded(command);
  return {
    target: { ...target, port },
    async stop() {
      await child.end();
    },
  };
}

/** A streaming standby from a base of its primary. */
export async function startStandby(primary: TestPostgres, base: TakenBase, physical: PhysicalBackup) {
  const place = await serverFolder();
  const data = join(place.folder, 'data');
  await unpack(physical, base, data);
  await writeFile(join(data, 'standby.signal'), '');
  await giveAll(place.user, data);
  const { host, port, user, password } = primary.target;
  const standby = await startDirectory(primary, place, {
    primary_conninfo: `host=${host} port=${port} user=${user} password=${password}`,
    max_connections: '130',
    max_wal_senders: '10',
    max_replication_slots: '10',
    fsync: 'off',
  });
  return {
    target: standby.target,
    async stop() {
      await standby.stop();
      await rm(place.folder, { recursive: true, force: true });
    },
  };
}

/** Runs a program of the server against a target; rejects with its last words. */
export async function runTool(command: string, args: readonly string[], target?: PostgresTarget): Promise<void> {
  const env = {
    ...libraryPath(command),
    ...(target === undefined
      ? {}
      : { PGHOST: target.host, PGPORT: String(target.port), PGUSER: target.user, PGPASSWORD: target.password ?? '' }),
  };
  const signal = AbortSignal.timeout(120_000);
  const { stdout, exit } = await runChild({ name: command, command, args, env, signal });
  if (exit.code !== 0) throw new Error(`${command}: exit ${exit.code}: ${stdout.slice(-1_000)}${exit.stderrTail}`);
}
