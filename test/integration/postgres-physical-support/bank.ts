import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { PostgresTarget } from '../../../src/postgres/postgres.ts';

/**
 * A ledger whose state tells how much of it there is: transfer n is row n, and every balance is the sum of its rows. Any torn
 * or mixed state breaks one of the sums; a state of the run is given by its number of rows alone.
 */
const SCHEMA = `
  CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL, filler text NOT NULL);
  INSERT INTO accounts SELECT g, 0, repeat(md5(g::text), 8) FROM generate_series(1, 5000) g;
  CREATE TABLE transfers (n bigint PRIMARY KEY, account int NOT NULL, amount bigint NOT NULL, note text NOT NULL);
  CREATE INDEX ON transfers (account);
  CREATE TABLE ballast AS SELECT g AS id, md5(g::text) || md5((g * 7)::text) AS text FROM generate_series(1, 60000) g;
  CREATE INDEX ON ballast (text)`;

const TRANSFER = `WITH t AS (INSERT INTO transfers VALUES ($1::bigint, $2::int, $3::bigint, md5($1::bigint::text) || repeat('x', 200)) RETURNING account, amount)
  UPDATE accounts SET balance = balance + t.amount FROM t WHERE id = t.account`;

export interface Bank {
  /** Transfers that the server has confirmed. */
  readonly acknowledged: number;
  stop(): Promise<void>;
}

export async function createBank(target: PostgresTarget): Promise<void> {
  await withClient(target, async (client) => client.query(SCHEMA));
}

/** One transfer after the other behind the first `done`, each a transaction, until stopped. */
export function runBank(target: PostgresTarget, done = 0): Bank {
  const state = { acknowledged: done, running: true };
  const working = withClient(target, async (client) => {
    for (let n = done + 1; state.running; n += 1) {
      await client.query(TRANSFER, [n, ((n * 7919) % 5000) + 1, (n % 1000) + 1]);
      state.acknowledged = n;
    }
  });
  let failure: unknown;
  working.catch((error: unknown) => (failure = error));
  return {
    get acknowledged() {
      if (failure !== undefined) throw new Error('the ledger stopped', { cause: failure });
      return state.acknowledged;
    },
    async stop() {
      state.running = false;
      await working;
    },
  };
}

export interface BankState {
  readonly transfers: number;
  /** Accounts whose balance is not the sum of their transfers, and numbers that are missing. */
  readonly wrong: number;
  /** Digests of the rows of every table. */
  readonly fingerprint: string;
}

/** Only the first `upTo` transfers, where given: what the state was when there were that many. */
export async function readBank(target: PostgresTarget, upTo?: number): Promise<BankState> {
  const limit = upTo ?? Number.MAX_SAFE_INTEGER;
  return withClient(target, async (client) => {
    const { rows } = await client.query<{ transfers: string; wrong: string; fingerprint: string }>(
      `WITH t AS MATERIALIZED (SELECT * FROM transfers WHERE n <= $1),
        sums AS (SELECT account, sum(amount) AS balance FROM t GROUP BY account)
      SELECT (SELECT count(*) FROM t) AS transfers,
        (SELECT coalesce(max(n), 0) - count(*) FROM t)
          + CASE WHEN $2 THEN 0 ELSE (SELECT count(*) FROM accounts a LEFT JOIN sums s ON s.account = a.id
              WHERE a.balance <> coalesce(s.balance, 0)) END AS wrong,
        concat((SELECT md5(string_agg(t::text, ',' ORDER BY n)) FROM t),
          (SELECT md5(string_agg(concat(a.id, ':', coalesce(s.balance, 0), a.filler), ',' ORDER BY a.id))
            FROM accounts a LEFT JOIN sums s ON s.account = a.id),
          (SELECT md5(string_agg(b::text, ',' ORDER BY id)) FROM ballast b)) AS fingerprint`,
      [limit, upTo !== undefined],
    );
    const [row] = rows;
    return { transfers: Number(row?.transfers), wrong: Number(row?.wrong), fingerprint: row?.fingerprint ?? '' };
  });
}

export async function query<Row extends object>(target: PostgresTarget, sql: string): Promise<readonly Row[]> {
  return withClient(target, async (client) => (await client.query(sql)).rows as Row[]);
}

/** Waits until `look` says yes. */
export async function until(look: () => Promise<boolean> | boolean, limitMs = 20_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms`);
    await delay(50);
  }
}

async function withClient<T>(target: PostgresTarget, use: (client: Client) => Promise<T>): Promise<T> {
  const { host, port, user, database, password } = target;
  const client = new Client({
    host,
    port,
    user,
    database,
    ...(password === undefined ? {} : { password }),
    ssl: false,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
