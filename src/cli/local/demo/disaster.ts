import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { LocalDatabases } from '../../../embedded/databases.ts';
import { DEMO_DATABASE } from '../../../embedded/demo-data/seed-postgres.ts';

/** What goes wrong, as it would be typed: one table gone, others changed, and the cache emptied. */
const DAMAGE = [
  'drop table refresh_tokens cascade',
  "update users set password_hash = 'changed by a bad migration' where tenant_id < 100",
  'delete from user_roles where role_id < 4',
  "delete from audit.events where action = 'denied'",
  'drop materialized view users_per_tenant',
] as const;

/** Does it, and gives each command with what the server said. */
export async function strike({ postgres, redis }: LocalDatabases): Promise<string[]> {
  return [...(await strikePostgres(postgres)), await strikeRedis(redis)];
}

async function strikePostgres({ host, port, user, password }: LocalDatabases['postgres']): Promise<string[]> {
  const session = new Client({ host, port, user, password, database: DEMO_DATABASE, ssl: false });
  await session.connect();
  try {
    const done: string[] = [];
    for (const statement of DAMAGE) {
      const { command, rowCount } = await session.query(statement);
      done.push(`psql      ${statement}   → ${command}${rowCount === null ? '' : ` ${rowCount}`}`);
    }
    return done;
  } finally {
    await session.end();
  }
}

async function strikeRedis({ host, port, password }: LocalDatabases['redis']): Promise<string> {
  const redis = new Redis({
    host,
    port,
    ...(password === undefined ? {} : { password }),
    lazyConnect: true,
    retryStrategy: () => null,
  });
  // What breaks the connection also fails the command that waits for it.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return `redis-cli FLUSHALL   → ${await redis.flushall()}`;
  } finally {
    redis.disconnect();
  }
}
