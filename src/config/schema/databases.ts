import * as z from 'zod';
import { count, duration, path, program, secret, secretUrl, size } from './leaf.ts';

const ways = z.union([z.boolean(), z.literal('auto')], 'expected true, false or "auto"');

/** The PostgreSQL under protection: where it is, how to get in, how it is copied. */
export const postgresSection = z
  .strictObject({
    url: secretUrl()
      .optional()
      .describe('`postgres://user:password@host:port/database?sslmode=…`; the parts below fill what it leaves out'),
    host: z
      .string()
      .min(1)
      .optional()
      .describe('Host name, address, or the folder of a Unix socket; `localhost` when nothing says otherwise'),
    port: z.int().min(1).max(65_535).optional().describe('TCP port; 5432 when nothing says otherwise'),
    user: z.string().min(1).optional().describe('Role to connect as; `postgres` when nothing says otherwise'),
    password: secret().optional().describe('Password of that role'),
    passFile: path().optional().describe("Password file in libpq's format; `~/.pgpass` when it exists"),
    database: z
      .string()
      .min(1)
      .optional()
      .describe('Database to protect; the user name when nothing says otherwise, as in libpq'),
    sslMode: z
      .enum(['disable', 'prefer', 'require', 'verify-ca', 'verify-full'])
      .optional()
      .describe('TLS towards the server, as in libpq; `prefer` when nothing says otherwise'),
    sslRootCert: path().optional().describe('Certificate authorities for `verify-ca` and `verify-full`, PEM'),
    logical: ways.default('auto').describe('Take the portable copy (`pg_dump`)'),
    physical: ways.default('auto').describe('Take the physical base that the journal starts from'),
    pgDumpPath: program().default('pg_dump').describe('`pg_dump` to use'),
    pgRestorePath: program().default('pg_restore').describe('`pg_restore` to use'),
    binDir: path()
      .optional()
      .describe('Folder of PostgreSQL programs: the client tools, and the server of the demo; wins over PATH'),
    bigTableBytes: size()
      .prefault('256MiB')
      .describe('Tables from this size on are dumped as parts of their own, in parallel'),
    lockTimeout: duration()
      .default('60s')
      .describe(
        'How long a backup waits for a table that another session has locked exclusively; then it is tried again',
      ),
    jobs: count(1).max(64).default(2).describe('Dump and restore processes at a time'),
    slot: z
      .string()
      .regex(/^[a-z0-9_]{1,63}$/, 'expected a-z, 0-9 and _')
      .default('lifeboat')
      .describe('Replication slot of the journal'),
    walArchivePath: path()
      .optional()
      .describe('Folder that `archive_command` fills, for servers that cannot stream WAL'),
  })
  .prefault({});

/** The Redis under protection. */
export const redisSection = z
  .strictObject({
    url: secretUrl()
      .optional()
      .describe('`redis://user:password@host:port`, `rediss://` for TLS; all databases of the server are taken'),
    username: z.string().min(1).optional().describe('ACL user, where the URL names none'),
    password: secret().optional().describe('Password, where the URL has none'),
    tls: z
      .strictObject({
        caPath: path().optional().describe('Certificate authorities, PEM'),
        certPath: path().optional().describe('Client certificate, PEM'),
        keyPath: path().optional().describe('Key of the client certificate, PEM'),
        servername: z.string().min(1).optional().describe('Name expected in the certificate'),
        insecure: z.boolean().default(false).describe('Accept any certificate; for tests only'),
      })
      .optional()
      .describe('TLS settings; used with a `rediss://` URL'),
    method: z.enum(['auto', 'replication', 'dump', 'rdb-file']).default('auto').describe('How a copy is taken'),
    preferReplica: z.boolean().default(true).describe('Read from a replica where there is one'),
    rdbPath: path().optional().describe('RDB file of the server, for the method `rdb-file`'),
    agentHost: z
      .string()
      .min(1)
      .optional()
      .describe('Address under which the target of a restore reaches this machine'),
  })
  .prefault({});

/** What happens around a restore. */
export const restoreSection = z
  .strictObject({
    keepReplaced: duration()
      .default('24h')
      .describe('How long the replaced database is kept, so that a restore can be undone'),
    scratchDir: path()
      .optional()
      .describe(
        'Folder with room for a data directory and its WAL, for restores to a point in time; below `home` without it',
      ),
    targetRedis: z
      .strictObject({ password: secret().optional().describe('Password of the server that `--target-redis` names') })
      .optional()
      .describe('For `restore --target-redis`: what its URL must not hold'),
  })
  .prefault({});

/** The continuous archive behind a full backup. */
export const journalSection = z
  .strictObject({
    enabled: z.boolean().default(false).describe('Keep journals, so that any second of the window can be restored'),
    flushSeconds: count(1)
      .max(3_600)
      .default(5)
      .describe('Seconds after which changes are durable in the repository, at most'),
  })
  .prefault({});
