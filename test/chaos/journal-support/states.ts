/** What the writers' data look like, and where the journals stand, by plain means. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Client } from 'pg';
import { until } from '../../support/product/mid-stream.ts';
import { openRedis } from '../../support/product/redis-client.ts';
import type { Product } from '../../support/product.ts';
import { KEY_WRITERS, keyNames, wrongWithin, type WriterKeys } from './key-batches.ts';
import { wrongAt, type WriteLog } from './write-log.ts';

const DURABLE_WITHIN_MS = 60_000;
/** Of idle servers the time goes on in steps of a flush. */
const STEP_MS = 2_000;

/** Is the journal of either server attached, and up to date within a moment? */
export async function journalsFollow(product: Product): Promise<boolean> {
  const { rows } = await product.postgres
    .query<{ active: boolean }>('SELECT active FROM pg_replication_slots')
    .catch(() => ({ rows: [] }));
  const info = await product.redis.cli('info', 'replication').catch(() => '');
  return rows.some(({ active }) => active) && /^slave\d+:.*port=0,state=online/m.test(info);
}

/** Waits until all that was written is durable in both journals. */
export async function untilDurable(product: Product): Promise<void> {
  const { rows } = await product.postgres.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn() AS lsn');
  await until('the WAL is durable', async () => {
    const sql = 'SELECT count(*)::int AS slots FROM pg_replication_slots WHERE restart_lsn >= $1::pg_lsn';
    return (await product.postgres.query<{ slots: number }>(sql, [rows[0]!.lsn])).rows[0]!.slots > 0;
  });
  const redis = await openRedis(product.redis.target);
  try {
    await redis.set('last', 'one');
    const copies = await redis.wait(1, DURABLE_WITHIN_MS);
    if (copies < 1) throw new Error('the redis journal confirms nothing');
  } finally {
    redis.disconnect();
  }
  await delay(STEP_MS);
}

export interface LedgerState {
  readonly found: ReadonlySet<string>;
  readonly balance: number;
  /** Rows of half a transaction. */
  readonly unmirrored: number;
}

export async function readLedger(session: Client): Promise<LedgerState> {
  const { rows } = await session.query<{ name: string }>("SELECT writer || '/' || n AS name FROM ledger");
  const { rows: sums } = await session.query<{ balance: number; unmirrored: number }>(
    `SELECT (SELECT sum(balance)::int FROM accounts) AS balance,
      (SELECT count(*)::int FROM ledger FULL JOIN mirror USING (writer, n) WHERE ledger IS NULL OR mirror IS NULL) AS unmirrored`,
  );
  return { found: new Set(rows.map(({ name }) => name)), ...sums[0]! };
}

export interface KeyState {
  readonly found: ReadonlySet<string>;
  /** What no moment can have held: a transaction's half, an order that was never written. */
  readonly odd: readonly string[];
  readonly writers: readonly WriterKeys[];
}

/** Batches that are there, with all that is left of their single commands. */
export async function readKeys(redis: Redis): Promise<KeyState> {
  const found = new Set<string>();
  const odd: string[] = [];
  const writers: WriterKeys[] = [];
  for (let writer = 0; writer < KEY_WRITERS; writer += 1) {
    const batches = (await redis.lrange(`log:${writer}`, 0, -1)).map(Number);
    for (const n of batches) found.add(`${writer}/${n}`);
    if (batches.some((n, index) => index > 0 && n <= batches[index - 1]!)) odd.push(`log:${writer} is out of order`);
    const [a, b, counter] = await redis.mget(`pair:a:${writer}`, `pair:b:${writer}`, `count:${writer}`);
    if (a !== b) odd.push(`pair of ${writer}: ${a} and ${b}`);
    const last = batches.at(-1);
    if (last !== undefined && a !== String(last) && a !== String(batches.at(-2) ?? null))
      odd.push(`pair ${a} beside log ${last}`);
    writers.push({ writer, batches, counter: Number(counter), values: await redis.mget(keyNames(writer)) });
  }
  return { found, odd, writers };
}

/** Batches and single commands that are missing or too many in what is said to be the state of `atMs`. */
export function wrongKeys(
  log: WriteLog,
  state: KeyState,
  at: { readonly atMs: number; readonly requiredMs: number },
): string[] {
  const within = state.writers.flatMap((writer) => wrongWithin(log, writer, at.requiredMs));
  return [...wrongAt(log, state.found, at), ...state.odd, ...within];
}
