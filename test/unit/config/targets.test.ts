import { mkdtempSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type LoadedConfig } from '../../../src/config/load-config.ts';
import { passwordFromLines } from '../../../src/config/password-file.ts';
import { isPostgresConfigured, postgresTarget } from '../../../src/config/postgres-target.ts';
import { caught } from '../../support/caught.ts';
import { isRedisConfigured, redisTarget } from '../../../src/config/redis-target.ts';

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'lifeboat-targets-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function load(env: Record<string, string>, file?: unknown): LoadedConfig {
  if (file !== undefined) writeFileSync(join(cwd, 'c.json'), JSON.stringify(file));
  return loadConfig({ env, cwd, flags: { config: file === undefined ? undefined : 'c.json' } });
}

describe('postgresTarget', () => {
  test.each([
    [
      'postgres://u:p%40ss@db:5433/auth?sslmode=require',
      { host: 'db', port: 5433, user: 'u', password: 'p@ss', database: 'auth', ssl: { mode: 'require' } },
    ],
    ['postgresql://u@db', { host: 'db', port: 5432, user: 'u', database: 'u', ssl: { mode: 'prefer' } }],
    [
      'postgres://u:100%@db/a',
      { host: 'db', port: 5432, user: 'u', password: '100%', database: 'a', ssl: { mode: 'prefer' } },
    ],
    ['postgres://u@[::1]:6000/a', { host: '::1', port: 6000, user: 'u', database: 'a', ssl: { mode: 'prefer' } }],
    [
      'postgres:///a?host=/run/postgresql&user=u',
      { host: '/run/postgresql', port: 5432, user: 'u', database: 'a', ssl: { mode: 'prefer' } },
    ],
    [
      'postgres://u:p@/a?host=%2Frun%2Fpg',
      { host: '/run/pg', port: 5432, user: 'u', password: 'p', database: 'a', ssl: { mode: 'prefer' } },
    ],
    [
      'postgres://db/a?sslmode=verify-full&sslrootcert=/ca.pem',
      { host: 'db', port: 5432, user: 'postgres', database: 'a', ssl: { mode: 'verify-full', caPath: '/ca.pem' } },
    ],
  ])('reads %s', (url, expected) => {
    expect(postgresTarget(load({ DATABASE_URL: url }))).toEqual(expected);
  });

  test('PG* variables fill what the URL leaves out; the URL wins over them, as in libpq', () => {
    const env = {
      DATABASE_URL: 'postgres://db/auth',
      PGHOST: 'elsewhere',
      PGUSER: 'backup',
      PGPASSWORD: 'x',
      PGPORT: '7000',
    };
    expect(postgresTarget(load(env))).toMatchObject({
      host: 'db',
      database: 'auth',
      user: 'backup',
      password: 'x',
      port: 7000,
    });
  });

  test('a variable wins over a URL in the file', () => {
    const target = postgresTarget(load({ PGHOST: 'standby' }, { postgres: { url: 'postgres://u@primary/auth' } }));
    expect(target).toMatchObject({ host: 'standby', user: 'u', database: 'auth' });
  });

  test('a URL in a variable wins over keys in the file', () => {
    const target = postgresTarget(
      load({ DATABASE_URL: 'postgres://u@db/auth' }, { postgres: { database: 'other', user: 'v' } }),
    );
    expect(target).toMatchObject({ database: 'auth', user: 'u' });
  });

  test('a file that says two things is refused', () => {
    const loaded = load({}, { postgres: { url: 'postgres://u@db/auth', database: 'other' } });
    expect(() => postgresTarget(loaded)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    const agreeing = load({}, { postgres: { url: 'postgres://u@db/auth', database: 'auth' } });
    expect(postgresTarget(agreeing).database).toBe('auth');
  });

  test.each([
    'mysql://h/d',
    'postgres://h:99999999/d',
    'postgres://u:top#secret@h:port/d',
    'postgres://h/d?sslmode=no',
  ])('refuses %s without quoting it', async (url) => {
    const error = await caught(() => postgresTarget(load({ DATABASE_URL: url })));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message + error.hint).not.toContain(url);
  });

  test('without any address it is not configured', () => {
    expect(isPostgresConfigured(load({}))).toBe(false);
    expect(isPostgresConfigured(load({ PGDATABASE: 'a' }))).toBe(true);
    expect(() => postgresTarget(load({}))).toThrow(expect.objectContaining({ code: 'CONFIG_INCOMPLETE' }));
  });

  test('the password file is used where no password is given, and refused where others can read it', () => {
    const file = join(cwd, 'pass');
    writeFileSync(file, 'db:5432:auth:u:from-file\n', { mode: 0o600 });
    const env = { DATABASE_URL: 'postgres://u@db/auth', PGPASSFILE: file };
    expect(postgresTarget(load(env)).password).toBe('from-file');
    expect(postgresTarget(load({ ...env, PGPASSWORD: 'given' })).password).toBe('given');
    chmodSync(file, 0o644);
    expect(() => postgresTarget(load(env))).toThrow(/others can read it/);
  });
});

describe('passwordFromLines', () => {
  const place = { host: 'db', port: 5432, database: 'auth', user: 'u' };
  test.each([
    ['*:*:*:*:any', 'any'],
    ['# db:5432:auth:u:no\ndb:5432:auth:u:yes', 'yes'],
    ['db:5432:other:u:no\ndb:*:*:u:first\n*:*:*:*:second', 'first'],
    [String.raw`db:5432:auth:u:a\:b\\c`, String.raw`a:b\c`],
    ['db:5432:auth:u:dos\r\n', 'dos'],
    ['db:5432:auth:u:', ''],
    ['db:5432:auth:v:no', undefined],
    ['', undefined],
  ])('finds in %j', (text, password) => {
    expect(passwordFromLines(text, place)).toBe(password);
  });
});

describe('redisTarget', () => {
  test.each([
    ['redis://h', { host: 'h', port: 6379 }],
    ['redis://u:p%23@h:7000/0', { host: 'h', port: 7000, username: 'u', password: 'p#' }],
    ['redis://:p@[::1]', { host: '::1', port: 6379, password: 'p' }],
    ['rediss://h', { host: 'h', port: 6379, tls: {} }],
  ])('reads %s', (url, expected) => {
    expect(redisTarget(load({ REDIS_URL: url }))).toEqual(expected);
  });

  test('keys fill what the URL leaves out', () => {
    const file = {
      redis: { url: 'rediss://h', username: 'u', password: { env: 'P' }, tls: { caPath: '/ca.pem', insecure: true } },
    };
    expect(redisTarget(load({ P: 'x' }, file))).toEqual({
      host: 'h',
      port: 6379,
      username: 'u',
      password: 'x',
      tls: { caPath: '/ca.pem', insecure: true },
    });
  });

  test.each(['http://h', 'redis://h/x', 'redis://h:port'])('refuses %s', (url) => {
    expect(() => redisTarget(load({ REDIS_URL: url }))).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  test('without a URL it is not configured', () => {
    expect(isRedisConfigured(load({}))).toBe(false);
    expect(() => redisTarget(load({}))).toThrow(expect.objectContaining({ code: 'CONFIG_INCOMPLETE' }));
  });
});
