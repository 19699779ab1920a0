import type { TestPostgres, TestRedis } from '../test/support/servers.ts';

/** Bytes of one row of the tables below, with its share of the index, as measured. */
const ROW_BYTES = 230;
const TABLES = 4;
/** One script call makes this many keys. */
const KEYS_PER_CALL = 10_000;

/** Tables in the shape of pgbench's accounts, with fillers that compress like text and not like blanks. */
export async function fillPostgres(postgres: TestPostgres, database: string, sizeMib: number): Promise<void> {
  await postgres.query(`create database ${database}`);
  const rows = Math.round((sizeMib * 1_048_576) / ROW_BYTES / TABLES);
  const fill = async (number: number): Promise<void> => {
    const table = `accounts_${number}`;
    const filler =
      "md5(g::text) || ' ' || md5((g % 5000)::text) || ' account of a customer with some text behind it, ' || g % 97";
    const statements = [
      `create table ${table} (id bigint not null, branch int not null, balance numeric(12, 2) not null, changed timestamptz not null, filler text not null)`,
      `insert into ${table} select g, g % 400, (g % 100000) / 7.0, timestamptz '2026-01-01Z' + g * interval '3 s', ${filler} from generate_series(1, ${rows}) g`,
      `alter table ${table} add primary key (id)`,
      `create index on ${table} (branch)`,
      // As in a database in service; left to autovacuum, it would run in the middle of a measurement.
      `vacuum (analyze) ${table}`,
    ];
    for (const statement of statements) await postgres.query(statement, [], database);
  };
  for (let number = 1; number <= TABLES; number += 2) await Promise.all([fill(number), fill(number + 1)]);
  await postgres.query('checkpoint');
}

/** String keys of about 100 bytes, half of them with an expiry. */
export async function fillRedis(redis: TestRedis, keys: number): Promise<void> {
  const script = `for n = tonumber(ARGV[1]), tonumber(ARGV[2]) do
    local key = 'session:' .. n
    redis.call('SET', key, redis.sha1hex(key) .. redis.sha1hex(n) .. ' some text of a session')
    if n % 2 == 0 then redis.call('EXPIRE', key, 86400 + n) end
  end`;
  for (let first = 1; first <= keys; first += KEYS_PER_CALL) {
    await redis.cli('eval', script, '0', String(first), String(Math.min(keys, first + KEYS_PER_CALL - 1)));
  }
}
