import type { Operation } from '../../../domain/operation.ts';
import type { RedisTarget } from '../../redis.ts';
import { type ServerView, viewServer } from '../../server-view.ts';
import { openRedisSocket, type RedisSocket } from '../../socket.ts';
import { listDatabases } from './databases.ts';
import { chooseExpiryReader, type ExpiryReader } from './expiry-reader.ts';
import { DatabaseScan, type ScannedKey } from './scan-database.ts';

/** Reads keys of a server by SCAN and DUMP: all of them, or some by name. One at a time. */
export interface KeySource {
  readonly socket: RedisSocket;
  readonly view: ServerView;
  readonly databases: readonly number[];
  all(db: number): AsyncGenerator<readonly ScannedKey[], void, undefined>;
  /** Those that still exist, in any order. */
  some(db: number, keys: readonly Buffer[]): AsyncGenerator<readonly ScannedKey[], void, undefined>;
  close(): void;
}

export async function openKeySource(target: RedisTarget, operation: Operation): Promise<KeySource> {
  const socket = await openRedisSocket(target, { signal: operation.signal });
  try {
    const view = await viewServer(socket);
    const expiry = await chooseExpiryReader(socket);
    const databases = await listDatabases(socket, view);
    return keySourceOf(socket, { view, expiry, databases });
  } catch (error) {
    socket.close();
    throw error;
  }
}

function keySourceOf(
  socket: RedisSocket,
  facts: { readonly view: ServerView; readonly expiry: ExpiryReader; readonly databases: readonly number[] },
): KeySource {
  const { view, expiry, databases } = facts;
  // A user who may not SELECT can still be given database 0, where the connection is unless it had to look around.
  const needsSelect = view.info.size === 0 || databases.some((db) => db > 0);
  let selected: number | undefined;
  const select = async (db: number): Promise<void> => {
    if (needsSelect && selected !== db) await socket.command('SELECT', db);
    selected = db;
  };
  return {
    socket,
    view,
    databases,
    async *all(db) {
      await select(db);
      yield* new DatabaseScan(socket, expiry).batches();
    },
    async *some(db, keys) {
      await select(db);
      yield* DatabaseScan.ofKeys(socket, expiry, keys).batches();
    },
    close: () => socket.close(),
  };
}
