import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest, PostgresFacts, RedisFacts } from '../../../src/domain/backup.ts';
import type { Operation } from '../../../src/domain/operation.ts';
import { generateKeyring, type Keyring } from '../../../src/encryption/keyring.ts';
import { ensureSigningKey, type Signer } from '../../../src/encryption/signer.ts';
import { createRepository } from '../../../src/repository/create-repository.ts';
import type { Codec, PublishBackup, Repository } from '../../../src/repository/repository.ts';
import { createLocalStore } from '../../../src/storage/local-store.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';

export const ENCRYPTED: Codec = { compression: 'zstd', compressionLevel: 3, encryption: 'aes-256-gcm' };
export const PLAIN: Codec = { compression: 'none', compressionLevel: 3, encryption: 'none' };
export const CREATED_AT = '2026-01-15T10:30:00.000Z';
/** Small, so that a test's artifact has several objects. */
export const OBJECT_BYTES = 64 * 1024;

export const OPERATION: Operation = { signal: new AbortController().signal, onProgress: () => undefined };

export const POSTGRES_FACTS: PostgresFacts = {
  server: '18.6',
  serverVersion: 180_006,
  method: ['logical'],
  database: 'auth',
  encoding: 'UTF8',
  systemIdentifier: '7300000000000000001',
  timeline: 1,
  lsn: '0/16B3748',
  snapshotAt: CREATED_AT,
  extensions: [{ name: 'pgcrypto', version: '1.3', schema: 'public' }],
  tables: 3,
  databaseBytes: 7_000_000,
};

export const REDIS_FACTS: RedisFacts = {
  server: '7.0.15',
  method: 'replication',
  consistent: true,
  keys: 2,
  databases: { 0: 2 },
  functions: 0,
  replid: 'f'.repeat(40),
  offset: 1234,
  rdbVersion: 10,
  digest: '',
  snapshotAt: CREATED_AT,
};

export interface TestPlace {
  readonly folder: string;
  readonly store: ObjectStore;
  readonly keyring: Keyring;
  readonly signer: Signer;
  remove(): Promise<void>;
}

/** An empty store, in memory or in a directory, with a keyring and a signing key of its own. */
export async function openPlace(where: 'memory' | 'disk' = 'memory'): Promise<TestPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-repository-'));
  return {
    folder,
    store: where === 'disk' ? createLocalStore({ root: join(folder, 'store') }) : createMemoryStore(),
    keyring: await generateKeyring(join(folder, 'keys/keyring.json')),
    signer: await ensureSigningKey(join(folder, 'keys/signing.key')),
    remove: async () => rm(folder, { recursive: true, force: true }),
  };
}

export async function openWriter(place: TestPlace): Promise<Repository> {
  const { store, keyring, signer } = place;
  return createRepository({
    store,
    keyring,
    signer,
    group: 'default',
    objectBytes: OBJECT_BYTES,
    tool: 'lifeboat/test',
  });
}

export interface MadeBackup {
  readonly manifest: Manifest;
  readonly request: PublishBackup;
  /** What went in, by artifact. */
  readonly data: { readonly dump: Buffer; readonly globals: Buffer; readonly snapshot: Buffer };
}

/** A published backup of both components; `dump` takes four objects. */
export async function makeBackup(
  repository: Repository,
  {
    createdAt = CREATED_AT,
    codec = ENCRYPTED,
    owner = createdAt,
    label = { by: 'test' },
  }: {
    readonly createdAt?: string;
    readonly codec?: Codec;
    readonly owner?: string;
    readonly label?: Readonly<Record<string, string>>;
  } = {},
): Promise<MadeBackup> {
  const data = {
    dump: randomBytes(3.5 * OBJECT_BYTES),
    globals: Buffer.from('CREATE ROLE x;\n'),
    snapshot: randomBytes(5000),
  };
  const { backupId } = await repository.beginBackup({ kind: 'full', createdAt, owner, codec });
  const postgres = {
    backupId,
    component: 'postgres',
    codec,
    attempt: await repository.claimAttempt(backupId, 'postgres'),
  } as const;
  const redis = {
    backupId,
    component: 'redis',
    codec,
    attempt: await repository.claimAttempt(backupId, 'redis'),
  } as const;
  const [dump, globals, snapshot] = await Promise.all([
    repository.writeArtifact({ ...postgres, name: 'dump', format: 'pg-dump-custom' }, chunks(data.dump), OPERATION),
    repository.writeArtifact(
      { ...postgres, name: 'globals', format: 'pg-globals-sql' },
      chunks(data.globals),
      OPERATION,
    ),
    repository.writeArtifact({ ...redis, name: 'snapshot', format: 'redis-rdb' }, chunks(data.snapshot), OPERATION),
  ]);
  const request: PublishBackup = {
    backupId,
    kind: 'full',
    codec,
    label,
    holds: [],
    components: [
      await repository.writeComponent({ ...postgres, facts: POSTGRES_FACTS, artifacts: [dump, globals] }),
      await repository.writeComponent({ ...redis, facts: REDIS_FACTS, artifacts: [snapshot] }),
    ],
    recoveryPoint: { time: createdAt },
    createdAt,
    finishedAt: new Date(Date.parse(createdAt) + 9000).toISOString(),
    warnings: [],
  };
  return { manifest: await repository.publish(request), request, data };
}

export async function* chunks(bytes: Buffer, chunkBytes = 10_007): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) yield bytes.subarray(offset, offset + chunkBytes);
}
