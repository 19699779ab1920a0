/**
 * Goal: the demo's comparison is not blind: it sees the smallest change in either database, and only that.
 * Method: real servers are seeded and read, changed in one small way, and read again.
 */
import { compareReadings, type Difference, type Reading } from '../../src/cli/local/demo/compare.ts';
import { readPostgres } from '../../src/cli/local/demo/read-postgres.ts';
import { readRedis } from '../../src/cli/local/demo/read-redis.ts';
import { seedDatabases } from '../../src/embedded/demo-data.ts';
import { seedRedis } from '../../src/embedded/demo-data/seed-redis.ts';
import { startPostgres, startRedis, type TestPostgres, type TestRedis } from '../support/servers.ts';

const { signal } = new AbortController();
let postgres: TestPostgres;
let redis: TestRedis;
let before: Reading;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis({ version: '7' })]);
  await seedDatabases({
    databases: { postgres: postgres.target, redis: redis.target },
    signal,
    onPhase: () => undefined,
  });
  before = await read();
}, 180_000);

afterAll(async () => {
  await Promise.all([postgres?.stop(), redis?.stop()]);
});

/** Gives what seeding said it did. */
async function seedAll(): Promise<string[]> {
  const said: string[] = [];
  const databases = { postgres: postgres.target, redis: redis.target };
  await seedDatabases({ databases, signal, onPhase: (line) => said.push(line) });
  return said;
}

async function read(): Promise<Reading> {
  return { ...(await readPostgres(postgres.target)), ...(await readRedis(redis.target)) };
}

async function seen(): Promise<string[]> {
  const { differences } = compareReadings(before, await read());
  return differences.map(({ kind, name }: Difference) => `${kind} ${name}`).toSorted();
}

test('the data has the promised size; seeding it again changes nothing, and reading it twice gives the same', async () => {
  const again = await seedAll();
  const { keys, keysWithExpiry, rows, differences } = compareReadings(before, await read());
  expect([differences, again]).toEqual([[], []]);
  expect(before.tables.get('public.users')?.rows).toBe(200_000);
  expect(rows).toBeGreaterThan(600_000);
  expect(keys).toBeGreaterThan(100_000);
  expect(keysWithExpiry).toBeGreaterThanOrEqual(100_000);
});

test('the smallest changes are seen, each where it was made and nowhere else', async () => {
  const [one, other] = [...before.keys].filter(([, { type }]) => type === 'hash');
  if (one === undefined || other === undefined) throw new Error('no sessions were made');
  const sql = [
    "update users set profile = profile || '{\"mfa\": null}' where email = 'User.777@tenant-278.example.com'",
    "select nextval('audit.event_number')",
    "comment on column users.password_hash is 'argon2'",
    'revoke select on tenants from auth_readonly',
    'alter table refresh_tokens disable row level security',
  ];
  for (const statement of sql) await postgres.query(statement, [], 'enterprise_auth');
  const pending = (await redis.cli('xpending', 'auth:events', 'mailer', '-', '+', '1')).split('\n')[0] ?? '';
  await redis.cli('pexpireat', one[0].slice(2), String(one[1].expiresAtMs + 1));
  await redis.cli('hset', other[0].slice(2), 'mfa', '9');
  await redis.cli('xack', 'auth:events', 'mailer', pending);
  expect(await seen()).toEqual(
    [
      'table public.users',
      'sequence audit.event_number',
      'definition column public.users.password_hash',
      'definition relation public.tenants',
      'definition relation public.refresh_tokens',
      'key 0/auth:events',
      `key ${one[0]}`,
      `key ${other[0]}`,
    ].toSorted(),
  );
});

test('on Redis 6.2 an expiry is compared as closely as that server tells it', async () => {
  const old = await startRedis({ version: '6.2' });
  try {
    await seedRedis(old.target, 1, signal);
    const one: Reading = { ...before, ...(await readRedis(old.target)) };
    const session = [...one.keys].find(([, { type }]) => type === 'hash')?.[0] ?? '';
    expect(compareReadings(one, { ...before, ...(await readRedis(old.target)) }).differences).toEqual([]);
    await old.cli('pexpire', session.slice(2), '500000000');
    const { differences } = compareReadings(one, { ...before, ...(await readRedis(old.target)) });
    expect(differences.map(({ name }) => name)).toEqual([session]);
  } finally {
    await old.stop();
  }
}, 120_000);
