import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { LifeboatError } from '../../../domain/errors.ts';
import type { LocalDatabases } from '../../../embedded/databases.ts';
import { DEMO_DATABASE } from '../../../embedded/demo-data/seed-postgres.ts';

/** New accounts, and new sessions, of one stretch of work. */
const SIZE = 1_000;
/** The journals flush every second; on a machine with much else to do they need some more. */
const DURABLE_WITHIN_MS = 60_000;
const LOOK_MS = 50;

/** One stretch of an authentication backend's day; `round` makes its accounts differ from those of others. */
const WORK = (round: number): readonly string[] => [
  `insert into users (id, tenant_id, email, password_hash, status, created_at, profile)
    select md5('round ${round}' || n)::uuid, 1 + n % 500, 'New.' || ${round} || '.' || n || '@example.com', '$2b$12$' || md5(n::text), 'invited', now(),
      jsonb_build_object('name', 'New ' || n, 'mfa', false) from generate_series(1, ${SIZE}) n`,
  `insert into user_roles select md5('round ${round}' || n)::uuid, 4, now() from generate_series(1, ${SIZE}) n`,
  `insert into refresh_tokens (user_id, token_hash, issued_at, expires_at)
    select md5('round ${round}' || n)::uuid, decode(md5(n::text), 'hex'), now(), now() + interval '30 days' from generate_series(1, ${SIZE}) n`,
  `update users set status = 'locked' where email like 'User.%7@%' and tenant_id = ${round}`,
  `delete from refresh_tokens where id between ${round * 1_000} and ${round * 1_000 + 499}`,
  `insert into audit.events (at, actor, action, detail)
    select now(), md5('round ${round}' || n)::uuid, 'login', jsonb_build_object('n', n) from generate_series(1, ${SIZE}) n`,
  // A restore computes a materialized view anew: one that was stale would come back fresh.
  'refresh materialized view users_per_tenant',
];

/** The same in Redis. ARGV: round, how many, an expiry in milliseconds since 1970. */
const SESSIONS = `
for n = 1, tonumber(ARGV[2]) do
  local key = 'session:new:' .. ARGV[1] .. ':' .. n
  redis.call('HSET', key, 'user', 'New.' .. ARGV[1] .. '.' .. n, 'mfa', 0)
  redis.call('PEXPIREAT', key, string.format('%.0f', ARGV[3] + n))
  redis.call('INCR', 'logins:' .. n % 50)
end`;

/** The application's own connections. */
export interface Application {
  /** Accounts, roles, tokens, audit events, sessions, counters; gives what it did, as a line to show. */
  work(round: number): Promise<string>;
  /** A row and a key that say when they were written. */
  mark(name: string): Promise<void>;
  /** Waits until everything written so far is durable in the journals; gives how long that took, in milliseconds. */
  untilDurable(): Promise<number>;
  /** Names of the rows and keys that mark() has left and that are there now. */
  marks(): Promise<{ readonly rows: readonly string[]; readonly keys: readonly string[] }>;
  end(): Promise<void>;
}

export async function openApplication({ postgres, redis }: LocalDatabases): Promise<Application> {
  const session = await openSession(postgres);
  const cache = await openCache(redis);
  return {
    async work(round) {
      for (const statement of WORK(round)) await session.query(statement);
      await cache.eval(SESSIONS, 0, round, SIZE, Date.now() + 86_400_000);
      await cache.multi().set('round', round).xadd('auth:events', '*', 'kind', 'round', 'n', round).exec();
      return `${SIZE} accounts with roles and tokens, ${SIZE} audit events, ${SIZE} sessions; some accounts locked, some tokens deleted`;
    },
    async mark(name) {
      await session.query("insert into audit.events (at, action, detail) values (now(), 'mark', to_jsonb($1::text))", [
        name,
      ]);
      await cache.set(`mark:${name}`, new Date().toISOString());
    },
    async untilDurable() {
      const startedAt = Date.now();
      await Promise.all([walIsDurable(session), streamIsDurable(cache)]);
      return Date.now() - startedAt;
    },
    async marks() {
      // Connections to the database end when a restored one takes its place.
      const now = await openSession(postgres);
      const sql = "select detail #>> '{}' as name from audit.events where action = 'mark' order by id";
      const { rows } = await closing(now, now.query<{ name: string }>(sql));
      const keys = (await cache.keys('mark:*')).map((key) => key.slice('mark:'.length));
      return { rows: rows.map(({ name }) => name), keys: keys.toSorted() };
    },
    async end() {
      cache.disconnect();
      await session.end();
    },
  };
}

async function openSession({ host, port, user, password }: LocalDatabases['postgres']): Promise<Client> {
  const session = new Client({ host, port, user, password, database: DEMO_DATABASE, ssl: false });
  // A restore ends it; whoever needs it then gets the error from the statement.
  session.on('error', () => undefined);
  await session.connect();
  return session;
}

async function openCache({ host, port, password }: LocalDatabases['redis']): Promise<Redis> {
  const cache = new Redis({
    host,
    port,
    ...(password === undefined ? {} : { password }),
    lazyConnect: true,
    retryStrategy: () => null,
  });
  // What breaks the connection also fails the command that waits for it.
  cache.on('error', () => undefined);
  await cache.connect();
  return cache;
}

/** The journal confirms to the server what is durable in the repository, and the server keeps that in the slot. */
async function walIsDurable(session: Client): Promise<void> {
  const current = 'select pg_current_wal_insert_lsn() as lsn';
  const lsn = (await session.query<{ lsn: string }>(current)).rows[0]?.lsn;
  const behind = 'select count(*)::int as slots from pg_replication_slots where active and restart_lsn >= $1::pg_lsn';
  for (const deadline = Date.now() + DURABLE_WITHIN_MS; Date.now() < deadline; await delay(LOOK_MS)) {
    if ((await session.query<{ slots: number }>(behind, [lsn])).rows[0]?.slots !== 0) return;
  }
  throw new LifeboatError('DEMO_JOURNAL_LATE', `wait for the journal: not at ${lsn} after ${DURABLE_WITHIN_MS} ms`);
}

/** The journal is a replica that acknowledges what is durable. */
async function streamIsDurable(cache: Redis): Promise<void> {
  if ((await cache.wait(1, DURABLE_WITHIN_MS)) > 0) return;
  throw new LifeboatError('DEMO_JOURNAL_LATE', `wait for the redis journal: silent for ${DURABLE_WITHIN_MS} ms`);
}

async function closing<T>(session: Client, asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } finally {
    await session.end();
  }
}
