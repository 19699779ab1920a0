import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { flatten } from '../../../src/config/layers.ts';
import { type ConfigSources, loadConfig, type LoadedConfig } from '../../../src/config/load-config.ts';
import type { ErrorCode } from '../../../src/domain/errors.ts';
import { caught } from '../../support/caught.ts';

/** The environment block of the reference manual, word for word. */
const MANUAL_VARIABLES = `
BACKUP_PATH=./backups
BACKUP_SCHEDULE_ENABLED=true
BACKUP_SCHEDULE_INTERVAL=6h
BACKUP_SCHEDULE_TYPE=incremental
BACKUP_COMPRESSION_ENABLED=true
BACKUP_COMPRESSION_LEVEL=6
BACKUP_RETENTION_DAYS=30
BACKUP_MAX_COUNT=100
BACKUP_ENCRYPTION_ENABLED=false
BACKUP_ENCRYPTION_ALGORITHM=aes-256-gcm
BACKUP_ENCRYPTION_KEY_PATH=./config/backup-encryption.key
REMOTE_STORAGE_ENABLED=false
REMOTE_STORAGE_TYPE=aws-s3
REMOTE_STORAGE_BUCKET=enterprise-auth-backups
REMOTE_STORAGE_REGION=us-east-1
REMOTE_STORAGE_ACCESS_KEY=your-access-key
REMOTE_STORAGE_SECRET_KEY=your-secret-key
CROSS_REGION_REPLICATION_ENABLED=false
CROSS_REGION_TARGETS=us-west-2,eu-west-1
CROSS_REGION_DELAY=300
PG_DUMP_PATH=pg_dump
PG_RESTORE_PATH=pg_restore
WAL_ARCHIVE_PATH=./backups/wal
REDIS_RDB_PATH=/data/dump.rdb`;

/** The configuration file of the reference manual, word for word. */
const MANUAL_FILE = `{
  "storage": {
    "localPath": "./backups",
    "remoteStorage": {
      "type": "aws-s3",
      "bucket": "enterprise-auth-backups",
      "region": "us-east-1",
      "credentials": {
        "accessKey": "your-access-key",
        "secretKey": "your-secret-key"
      }
    }
  },
  "schedule": {
    "enabled": true,
    "interval": "6h",
    "type": "incremental"
  },
  "retention": {
    "days": 30,
    "maxBackups": 100
  },
  "crossRegion": {
    "enabled": true,
    "regions": ["us-west-2", "eu-west-1"],
    "replicationDelay": 300
  }
}`;

let cwd = '';
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'lifeboat-config-'));
  mkdirSync(join(cwd, 'config'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const write = (content: unknown, name = 'config/backup.json'): void =>
  writeFileSync(join(cwd, name), typeof content === 'string' ? content : JSON.stringify(content));
const load = (sources: Partial<ConfigSources> = {}): LoadedConfig => loadConfig({ env: {}, cwd, ...sources });
const problems = async (
  sources: Partial<ConfigSources> = {},
  code: ErrorCode = 'CONFIG_INVALID',
): Promise<readonly string[]> => {
  const error = await caught(() => load(sources));
  expect(error.code).toBe(code);
  const named = error.details['problems'];
  return Array.isArray(named) ? named.map(String) : [error.message];
};
const tuning = ({ config }: LoadedConfig): string =>
  JSON.stringify([config.retention, config.compression, config.encryption, config.storage.localPath]);

describe('the manual', () => {
  const variables = Object.fromEntries(
    MANUAL_VARIABLES.trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );

  test('each of its variables sets one key, and the key says so', () => {
    const { config, origins, warnings } = load({ env: variables });
    expect(warnings).toEqual([]);
    const named = Object.values(origins)
      .filter((origin) => origin.kind === 'environment')
      .map((origin) => origin.name);
    expect(named.toSorted()).toEqual(Object.keys(variables).toSorted());
    expect(config.schedule).toEqual({ enabled: true, interval: '6h', type: 'incremental' });
    expect(config.crossRegion).toEqual({ enabled: false, regions: ['us-west-2', 'eu-west-1'], replicationDelay: 300 });
    expect(config.retention).toMatchObject({ days: 30, maxBackups: 100 });
    expect(config.compression).toEqual({ enabled: true, level: 6 });
    expect(config.encryption).toEqual({
      enabled: false,
      algorithm: 'aes-256-gcm',
      escrow: [],
      keyPath: join(cwd, 'config/backup-encryption.key'),
    });
    expect(config.postgres).toMatchObject({
      pgDumpPath: 'pg_dump',
      pgRestorePath: 'pg_restore',
      walArchivePath: join(cwd, 'backups/wal'),
    });
    expect(config.redis.rdbPath).toBe('/data/dump.rdb');
    const { credentials, ...remote } = config.storage.remoteStorage;
    expect(remote).toMatchObject({
      enabled: false,
      type: 'aws-s3',
      bucket: 'enterprise-auth-backups',
      region: 'us-east-1',
    });
    expect([credentials.accessKey?.reveal(), credentials.secretKey?.reveal()]).toEqual([
      'your-access-key',
      'your-secret-key',
    ]);
  });

  test('its configuration file loads, with a warning for each literal secret', () => {
    write(MANUAL_FILE);
    const { config, warnings, origins, file } = load();
    expect(file).toBe(join(cwd, 'config/backup.json'));
    expect(config.crossRegion.enabled).toBe(true);
    expect(config.storage.remoteStorage.credentials.secretKey?.reveal()).toBe('your-secret-key');
    expect(origins['retention.days']).toEqual({ kind: 'file', name: 'config/backup.json' });
    expect(warnings).toEqual([
      expect.stringContaining('storage.remoteStorage.credentials.accessKey holds a secret'),
      expect.stringContaining('storage.remoteStorage.credentials.secretKey holds a secret'),
    ]);
    expect(warnings.join()).not.toContain('your-');
  });

  test('variables, file and defaults agree', () => {
    const { BACKUP_SCHEDULE_ENABLED: _, ...others } = variables;
    expect(tuning(load({ env: others }))).toBe(tuning(load()));
  });
});

describe('precedence', () => {
  test('a flag wins over a variable, a variable over the file, the file over the default', () => {
    write({ group: 'from-file', retention: { days: 7, maxBackups: 9 }, compression: { level: 2 } });
    const env = { LIFEBOAT_GROUP: 'from-variable', BACKUP_RETENTION_DAYS: '8' };
    const { config, origins } = load({ env, flags: { values: { group: { value: 'from-flag', flag: '--group' } } } });
    expect([config.group, config.retention, config.compression]).toEqual([
      'from-flag',
      { days: 8, maxBackups: 9, minFull: 1, grace: '24h' },
      { enabled: true, level: 2 },
    ]);
    const kinds = ['group', 'retention.days', 'retention.maxBackups', 'retention.minFull'].map(
      (key) => origins[key]?.kind,
    );
    expect(kinds).toEqual(['flag', 'environment', 'file', 'default']);
  });

  test('every effective value has an origin', () => {
    write(MANUAL_FILE);
    const { config, origins } = load({ env: { PGHOST: 'db' } });
    expect(Object.keys(origins).toSorted()).toEqual([...flatten(config).keys()].toSorted());
  });

  test('--config wins over LIFEBOAT_CONFIG, which wins over the usual place', () => {
    write({ group: 'usual' });
    write({ group: 'variable' }, 'variable.json');
    write({ group: 'flag' }, 'flag.json');
    expect(load().config.group).toBe('usual');
    expect(load({ env: { LIFEBOAT_CONFIG: 'variable.json' } }).config.group).toBe('variable');
    expect(load({ env: { LIFEBOAT_CONFIG: 'variable.json' }, flags: { config: 'flag.json' } }).config.group).toBe(
      'flag',
    );
  });

  test('an empty variable counts as not set', () => {
    expect(load({ env: { BACKUP_PATH: '', LIFEBOAT_GROUP: ' ' } }).config.group).toBe('default');
  });
});

describe('mistakes', () => {
  test.each([
    [
      'a key in the file',
      { retention: { dais: 3 } },
      'retention.dais (config/backup.json): unknown key; did you mean days?',
    ],
    ['a section', { retentoin: {} }, 'retentoin (config/backup.json): unknown key; did you mean retention?'],
    ['a key in a list', { services: [{ name: 'a', stop: 'x', strat: 'y' }] }, 'unknown key; did you mean start?'],
    [
      'a key in a record',
      { stores: { a: { url: 'file:./x', bucket: 1 } } },
      'stores.a.bucket (config/backup.json): unknown key',
    ],
  ])('%s that nobody knows is refused with the nearest name', async (_, content, message) => {
    write(content);
    expect((await problems()).join('\n')).toContain(message);
  });

  test.each([
    ['BACKUP_PTH', 'BACKUP_PATH'],
    ['REMOTE_STORAGE_BUKET', 'REMOTE_STORAGE_BUCKET'],
    ['CROSS_REGION_TARGET', 'CROSS_REGION_TARGETS'],
    ['LIFEBOAT_CONFG', 'LIFEBOAT_CONFIG'],
    ['REMOTE_STORAGE_SECRET_KEY_FIEL', 'REMOTE_STORAGE_SECRET_KEY_FILE'],
  ])('the variable %s is refused, and %s suggested', async (wrong, right) => {
    expect(await problems({ env: { [wrong]: 'x' } })).toEqual([
      `${wrong}: unknown environment variable; did you mean ${right}?`,
    ]);
  });

  test('variables of others are left alone', () => {
    expect(() =>
      load({ env: { PGAPPNAME: 'x', REDIS_HOST: 'y', BACKUPPATH: 'z', TEMPORAL_PROFILE: 'p' } }),
    ).not.toThrow();
  });

  test('every problem is named at once, with the variable that caused it', async () => {
    const env = {
      BACKUP_COMPRESSION_LEVEL: '22',
      BACKUP_ENCRYPTION_ENABLED: 'maybe',
      BACKUP_SCHEDULE_INTERVAL: '15',
      PGPORT: 'x',
    };
    expect((await problems({ env })).map((problem) => problem.split(':')[0] ?? '').toSorted()).toEqual([
      'compression.level (BACKUP_COMPRESSION_LEVEL)',
      'encryption.enabled (BACKUP_ENCRYPTION_ENABLED)',
      'postgres.port (PGPORT)',
      'schedule.interval (BACKUP_SCHEDULE_INTERVAL)',
    ]);
  });

  test.each([
    [
      'two services of one name',
      {
        services: [
          { name: 'a', stop: 'x', start: 'y' },
          { name: 'a', stop: 'x', start: 'y' },
        ],
      },
    ],
    ['a schedule with neither every nor cron', { schedules: { a: { type: 'full' } } }],
    ['a schedule with both', { schedules: { a: { type: 'full', every: '1h', cron: '* * * * *' } } }],
    ['a store URL with credentials in it', { stores: { a: { url: 's3://key:secret@bucket' } } }],
    ['a store URL of an unknown kind', { stores: { a: { url: 'ftp://host' } } }],
    ['a group that cannot be part of a workflow id', { group: 'a/b' }],
    ['an algorithm that does not exist here', { encryption: { algorithm: 'rot13' } }],
    ['a number as a duration', { restore: { keepReplaced: 24 } }],
  ])('%s is refused', async (_, content) => {
    write(content);
    expect(await problems()).toHaveLength(1);
  });

  test('a file that is missing, malformed or no object has its own error', async () => {
    expect((await problems({ flags: { config: 'none.json' } }, 'CONFIG_FILE_MISSING'))[0]).toContain('ENOENT');
    write('{\n  "group": "hunter2",\n  oops\n}');
    const [message] = await problems({}, 'CONFIG_FILE_MALFORMED');
    expect(message).toMatch(/not json at line 3$/);
    expect(message).not.toContain('hunter2');
    write('[]');
    expect((await problems({}, 'CONFIG_FILE_MALFORMED'))[0]).toContain('not a json object');
  });
});

describe('secrets', () => {
  test('come from a variable, from a file, or from NAME_FILE', () => {
    write('s3cr3t\n', 'password');
    write({
      postgres: { password: { file: 'password' } },
      storage: { remoteStorage: { credentials: { secretKey: { env: 'MY_KEY' } } } },
    });
    const { config, warnings } = load({ env: { MY_KEY: 'k', REDIS_URL_FILE: 'password' } });
    expect(config.postgres.password?.reveal()).toBe('s3cr3t');
    expect(config.storage.remoteStorage.credentials.secretKey?.reveal()).toBe('k');
    expect(config.redis.url?.reveal()).toBe('s3cr3t');
    expect(warnings).toEqual([]);
  });

  test('a reference that leads nowhere is named by its key', async () => {
    write({
      postgres: { password: { file: 'none' } },
      redis: { password: { env: 'UNSET' } },
      security: { token: { vault: 'x' } },
    });
    expect(await problems()).toEqual([
      `postgres.password (config/backup.json): file ${join(cwd, 'none')}: ENOENT`,
      'redis.password (config/backup.json): environment variable UNSET is not set',
      'security.token (config/backup.json): expected text, {"env": "NAME"} or {"file": "PATH"}',
    ]);
  });

  test('NAME beside NAME_FILE is refused', async () => {
    expect((await problems({ env: { PGPASSWORD: 'a', PGPASSWORD_FILE: 'b' } }))[0]).toContain(
      'set beside PGPASSWORD_FILE',
    );
  });

  test('nothing that prints a configuration prints one', () => {
    const canary = 'c4n4ry';
    const env = {
      DATABASE_URL: `postgres://u:${canary}@h/d`,
      REDIS_URL: `redis://:${canary}@h`,
      PGPASSWORD: canary,
      REMOTE_STORAGE_SECRET_KEY: canary,
      LIFEBOAT_TOKEN: canary,
    };
    write({ notifications: { chat: { type: 'slack', url: `https://hooks.example/${canary}` } } });
    const { config, origins, warnings } = load({ env });
    const printed = [
      JSON.stringify({ config, origins, warnings }),
      inspect(config, { depth: 9, showHidden: true }),
      String(config.postgres.url),
    ];
    for (const text of printed) expect(text).not.toContain(canary);
    expect(String(config.postgres.url)).toBe('postgres://u:********@h/d');
    expect(String(config.redis.url)).toBe('redis://:********@h');
  });
});
