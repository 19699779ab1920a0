import type { Operation } from '../../domain/operation.ts';
import { importByRestore } from '../dump/import-by-restore.ts';
import { listDatabases } from '../dump/scan/databases.ts';
import { chooseExpiryReader } from '../dump/scan/expiry-reader.ts';
import { DatabaseScan } from '../dump/scan/scan-database.ts';
import type { DumpKey } from '../dump/stream/format.ts';
import type { RedisTarget } from '../redis.ts';
import { viewServer } from '../server-view.ts';
import { openRedisSocket, type RedisSocket } from '../socket.ts';
import { matcherOf } from './glob.ts';

export interface CopyKeys {
  readonly from: RedisTarget;
  readonly to: RedisTarget;
  /** Patterns in the notation of KEYS; a key is copied when any of them matches. */
  readonly patterns: readonly string[];
  /** Numbers of the databases to look at; all without it. */
  readonly databases?: readonly number[];
  /** What becomes of a key that exists at the target: it stays, or it is replaced. */
  readonly merge: 'skip' | 'replace';
}

export interface CopiedKeys {
  readonly copied: number;
  /** Keys that stayed as they were at the target. */
  readonly skipped: number;
  /** Keys that expired before they could be copied. */
  readonly expired: number;
  /** Copied keys per database number. */
  readonly databases: Readonly<Record<string, number>>;
  readonly bytes: number;
}

/**
 * Copies keys from one server into another with their absolute expiries, database by database; what else is there stays.
 * One key is in memory at a time at least: a value as long as the memory of this process cannot be copied.
 * Throws what reading by DUMP and writing by RESTORE throw; what was written before stays.
 */
export async function copyKeys(request: CopyKeys, operation: Operation): Promise<CopiedKeys> {
  const source = await openRedisSocket(request.from, { signal: operation.signal });
  try {
    const { keys, ...rest } = await importByRestore(request.to, chosenKeys(source, request), {
      operation,
      replace: request.merge === 'replace',
      skipExisting: request.merge === 'skip',
    });
    return { copied: keys, ...rest };
  } finally {
    source.close();
  }
}

/** The keys of a server that match any of the patterns, as they are read: different keys at different times. */
export async function* chosenKeys(
  source: RedisSocket,
  { patterns, databases }: Pick<CopyKeys, 'patterns' | 'databases'>,
): AsyncGenerator<DumpKey, void, undefined> {
  const wanted = matcherOf(patterns);
  const expiry = await chooseExpiryReader(source);
  const present = await listDatabases(source, await viewServer(source));
  for (const db of present.filter((number) => databases?.includes(number) ?? true)) {
    await source.command('SELECT', db);
    for await (const batch of new DatabaseScan(source, expiry, wanted).batches()) {
      for (const { key, payload, expireAtMs } of batch) yield { kind: 'key', db, key, payload, expireAtMs };
    }
  }
}
