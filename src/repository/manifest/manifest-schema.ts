import { z } from 'zod';
import type { Manifest } from '../../domain/backup.ts';

/**
 * Shapes as in src/domain/backup.ts. Loose: a later version may add fields, and they must survive reading, because the
 * signature is made over the bytes with them.
 */
const BYTES = z.number().int().nonnegative();
const SHA256 = z.string().regex(/^[0-9a-f]{64}$/);
const INSTANT = z.iso.datetime({ offset: true });

const OBJECT = z.looseObject({ key: z.string(), storedBytes: BYTES, sha256: SHA256, plainBytes: BYTES });

export const ARTIFACT = z.looseObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  format: z.enum([
    'pg-dump-custom',
    'pg-globals-sql',
    'redis-rdb',
    'redis-dump',
    'redis-digest-index',
    'redis-deletions',
    'postgres-base-tar',
    'postgres-wal',
    'postgres-backup-manifest',
    'json',
  ]),
  compression: z.enum(['zstd', 'none']),
  producerCompression: z.string().exactOptional(),
  attributes: z.record(z.string(), z.string()),
  plainBytes: BYTES,
  storedBytes: BYTES,
  objects: z.array(OBJECT).min(1),
});

const TOTALS = { bytes: BYTES, storedBytes: BYTES, artifacts: z.array(ARTIFACT).min(1) };

const BASE = z.looseObject({
  systemIdentifier: z.string(),
  timeline: z.number().int(),
  startLsn: z.string(),
  endLsn: z.string(),
  startAt: INSTANT,
  endAt: INSTANT,
  walSegmentBytes: BYTES,
  fromStandby: z.boolean(),
  parentStartLsn: z.string().nullable(),
  chain: z.array(z.string()).min(1).exactOptional(),
  dataChecksums: z.boolean().exactOptional(),
  bytes: BYTES,
});

const JOURNAL_RANGE = z.looseObject({
  history: z.string(),
  epoch: z.number().int(),
  timeline: z.number().int(),
  from: z.string(),
  to: z.string(),
});

export const POSTGRES_FACTS = z.looseObject({
  server: z.string(),
  serverVersion: z.number().int(),
  method: z.array(z.enum(['logical', 'physical', 'wal'])),
  database: z.string(),
  encoding: z.string(),
  systemIdentifier: z.string(),
  timeline: z.number().int(),
  lsn: z.string(),
  snapshotAt: INSTANT,
  extensions: z.array(z.looseObject({ name: z.string(), version: z.string(), schema: z.string() })),
  tables: BYTES,
  databaseBytes: BYTES,
  base: BASE.exactOptional(),
  journal: JOURNAL_RANGE.exactOptional(),
});

export const REDIS_FACTS = z.looseObject({
  server: z.string(),
  method: z.enum(['replication', 'dump', 'rdb-file', 'stream', 'dump-incremental']),
  consistent: z.boolean(),
  keys: BYTES,
  databases: z.record(z.string(), BYTES),
  functions: BYTES,
  replid: z.string(),
  offset: z.number().int(),
  rdbVersion: z.number().int(),
  digest: z.string(),
  snapshotAt: INSTANT,
  journal: JOURNAL_RANGE.exactOptional(),
  digests: z.looseObject({ layers: z.array(z.string()), changed: BYTES, deleted: BYTES }).exactOptional(),
});

const RECOVERY_POINT = z.looseObject({
  time: INSTANT,
  postgres: z.looseObject({ timeline: z.number().int(), lsn: z.string() }).exactOptional(),
  redis: z.looseObject({ replid: z.string(), offset: z.number().int() }).exactOptional(),
});

export const CODEC = z.looseObject({
  compression: z.enum(['zstd', 'none']),
  compressionLevel: z.number().int(),
  encryption: z.enum(['aes-256-gcm', 'none']),
});

const MANIFEST = z.looseObject({
  formatVersion: z.literal(1),
  id: z.string(),
  kind: z.enum(['full', 'incremental']),
  group: z.string(),
  repositoryId: z.string(),
  parentId: z.string().nullable(),
  previousManifest: z.looseObject({ id: z.string(), sha256: SHA256 }).nullable(),
  createdAt: INSTANT,
  finishedAt: INSTANT,
  label: z.record(z.string(), z.string()),
  holds: z.array(z.string()),
  tool: z.string(),
  codec: CODEC.extend({ keyCheckValue: z.string().nullable() }),
  components: z.looseObject({
    postgres: POSTGRES_FACTS.extend(TOTALS).exactOptional(),
    redis: REDIS_FACTS.extend(TOTALS).exactOptional(),
  }),
  recoveryPoint: RECOVERY_POINT,
  warnings: z.array(z.string()),
});

/** A manifest of version 1, or what is wrong with it (paths of the fields, never their values). */
export function parseManifest(value: unknown): Manifest | { readonly wrong: string } {
  const parsed = MANIFEST.safeParse(value);
  return parsed.success ? parsed.data : { wrong: wrongFields(parsed.error) };
}

export function wrongFields(error: z.ZodError): string {
  const places = error.issues.map((issue) => (issue.path.length === 0 ? 'the whole' : issue.path.join('.')));
  return [...new Set(places)].slice(0, 5).join(', ');
}
