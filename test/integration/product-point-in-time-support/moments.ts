/** What an application writes around a moment that is restored to later: rows, keys, transactions and expiries. */
import { setTimeout as delay } from 'node:timers/promises';
import { openRedis } from '../../support/product/redis-client.ts';
import type { Fingerprint, Product } from '../../support/product.ts';

/** Configuration of a product that keeps journals. */
export const JOURNALED = { journal: { enabled: true, flushSeconds: 1 } } as const;

const DURABLE_WITHIN_MS = 30_000;
/** Clocks of the servers and of this process are one; what is between two of its milliseconds is not. */
const APART_MS = 20;

/** A moment, and all that was in both databases then. */
export interface Moment {
  readonly at: string;
  readonly atMs: number;
  readonly data: Fingerprint;
}

type Redis = Awaited<ReturnType<typeof openRedis>>;

export interface Application {
  /** One row, one key, and one transaction on either side; `n` says which. */
  mark(n: number): Promise<void>;
  readonly redis: Redis;
  sql(text: string): Promise<void>;
  /**
   * Waits until the Redis journal holds all that was written here, so that it was received before the moment for certain; the
   * commits of PostgreSQL carry their own time.
   */
  moment(): Promise<Moment>;
  end(): void;
}

export async function openApplication(product: Product): Promise<Application> {
  const redis = await openRedis(product.redis.target);
  const sql = async (text: string): Promise<void> => void (await product.postgres.query(text, [], product.database));
  await sql('CREATE TABLE IF NOT EXISTS marks (n int PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())');
  await sql('CREATE TABLE IF NOT EXISTS pairs (n int NOT NULL, side text NOT NULL)');
  return {
    redis,
    sql,
    async mark(n) {
      await sql(`INSERT INTO marks (n) VALUES (${n})`);
      await sql(`BEGIN; INSERT INTO pairs VALUES (${n}, 'a'); INSERT INTO pairs VALUES (${n}, 'b'); COMMIT`);
      await redis.set(`mark:${n}`, String(n));
      await redis.multi().set('pair:a', String(n)).rpush('pairs', `${n}a`, `${n}b`).set('pair:b', String(n)).exec();
    },
    async moment() {
      const copies = await redis.wait(1, DURABLE_WITHIN_MS);
      if (copies < 1) throw new Error(`the redis journal has not confirmed within ${DURABLE_WITHIN_MS} ms`);
      await delay(APART_MS);
      const at = new Date();
      await delay(APART_MS);
      return { at: at.toISOString(), atMs: at.getTime(), data: await product.fingerprint() };
    },
    end: () => redis.disconnect(),
  };
}

/** Numbers of the marks in either database. */
export async function marksOf(
  product: Product,
  database = product.database,
): Promise<{ readonly rows: number[]; readonly keys: number[] }> {
  const { rows } = await product.postgres.query<{ n: number }>('SELECT n FROM marks ORDER BY n', [], database);
  const keys = (await product.redis.cli('--raw', 'keys', 'mark:*')).split('\n').filter((key) => key !== '');
  return {
    rows: rows.map(({ n }) => n),
    keys: keys.map((key) => Number(key.slice('mark:'.length))).toSorted((a, b) => a - b),
  };
}

/** nextval() logs that many numbers in advance: after a replay a sequence goes on behind them (SEQ_LOG_VALS). */
const LOGGED_AHEAD = 32n;

/**
 * What is not as it was at the moment. Sequences may stand further, by what PostgreSQL logs in advance, and never behind; keys
 * that have expired since then are gone.
 */
export function differencesFrom(moment: Fingerprint, now: Fingerprint, nowMs = Date.now()): string[] {
  const names = [...new Set([...Object.keys(moment), ...Object.keys(now)])];
  return names
    .filter((name) => !isSame({ name, was: moment[name], is: now[name], nowMs }))
    .map((name) => `${name}: was ${moment[name]}, is ${now[name]}`);
}

function isSame(line: {
  readonly name: string;
  readonly was: string | undefined;
  readonly is: string | undefined;
  readonly nowMs: number;
}): boolean {
  const { name, was, is, nowMs } = line;
  if (was === is) return true;
  if (was !== undefined && is !== undefined && name.startsWith('sequence ')) return isAhead(was, is);
  const expiry = /^\S+ expires (\d+) /.exec(was ?? '')?.[1];
  return is === undefined && expiry !== undefined && Number(expiry) <= nowMs;
}

/** `<last_value> <is_called> of <start> <increment> …` */
function isAhead(was: string, is: string): boolean {
  const [[before = '', , ...shape], [after = '', , ...sameShape]] = [was.split(' '), is.split(' ')];
  if (shape.join(' ') !== sameShape.join(' ')) return false;
  const ahead = BigInt(after) - BigInt(before);
  return ahead >= 0n && ahead <= LOGGED_AHEAD * BigInt(shape[2] ?? '1');
}
