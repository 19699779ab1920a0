import type { BackupRecord, Manifest, PostgresComponent, RedisComponent } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { RepositoryContext } from '../context.ts';
import { backupPrefix, timeOfBackupId } from '../layout.ts';
import { listBackupIds, loadManifest } from '../manifest/load-manifest.ts';
import { requireTrusted } from '../manifest/trust.ts';
import { mapBounded } from '../map-bounded.ts';
import { readVerifiedAt } from './verified-mark.ts';

/** Manifests read at once: hides a store's latency, and holds few manifests in memory. */
const LOADS_AT_ONCE = 16;

/** Published backups, newest first; those whose manifest cannot be trusted as `damaged`. */
export async function listBackups(context: RepositoryContext): Promise<BackupRecord[]> {
  const ids = await listBackupIds(context.store);
  const records = await mapBounded(ids, LOADS_AT_ONCE, (backupId) => listed(context, backupId));
  return records.filter((record) => record !== undefined);
}

/** The record of a manifest that was loaded before. */
export async function recordOf(context: RepositoryContext, manifest: Manifest): Promise<BackupRecord> {
  const bytes = canonicalJson(manifest);
  return toRecord(context, manifest, {
    signed: await requireTrusted(context, manifest.id, bytes),
    verifiedAt: await readVerifiedAt(context, manifest.id, bytes),
  });
}

async function listed(context: RepositoryContext, backupId: string): Promise<BackupRecord | undefined> {
  try {
    const { manifest, bytes, signed } = await loadManifest(context, backupId);
    const verifiedAt = await readVerifiedAt(context, backupId, bytes);
    return toRecord(context, manifest, { signed, verifiedAt });
  } catch (error) {
    if (!(error instanceof LifeboatError)) throw error;
    // Begun and not published: running, or left behind by a crash.
    if (error.code === 'BACKUP_NOT_FOUND') return undefined;
    if (error.code.startsWith('MANIFEST_')) return damagedRecord(context, backupId);
    throw error;
  }
}

function toRecord(
  context: RepositoryContext,
  manifest: Manifest,
  known: Pick<BackupRecord, 'signed' | 'verifiedAt'>,
): BackupRecord {
  const { postgres, redis } = manifest.components;
  const present = [postgres, redis].filter((component) => component !== undefined);
  return {
    id: manifest.id,
    kind: manifest.kind,
    group: manifest.group,
    parentId: manifest.parentId,
    createdAt: manifest.createdAt,
    finishedAt: manifest.finishedAt,
    durationMs: new Date(manifest.finishedAt).getTime() - new Date(manifest.createdAt).getTime(),
    status: 'complete',
    label: manifest.label,
    holds: manifest.holds,
    encrypted: manifest.codec.encryption !== 'none',
    ...known,
    components: {
      ...(postgres === undefined ? {} : { postgres: withoutArtifacts(postgres) }),
      ...(redis === undefined ? {} : { redis: withoutArtifacts(redis) }),
    },
    recoveryPoint: manifest.recoveryPoint,
    bytes: present.reduce((sum, component) => sum + component.bytes, 0),
    storedBytes: present.reduce((sum, component) => sum + component.storedBytes, 0),
    location: `${context.store.url}/${backupPrefix(manifest.id)}`,
    copies: [],
  };
}

/** What the id alone tells: nothing in a manifest that cannot be trusted is repeated. */
function damagedRecord(context: RepositoryContext, backupId: string): BackupRecord {
  const time = timeOfBackupId(backupId);
  return {
    id: backupId,
    kind: 'full',
    group: context.group,
    parentId: null,
    createdAt: time,
    finishedAt: time,
    durationMs: 0,
    status: 'damaged',
    label: {},
    holds: [],
    encrypted: false,
    signed: false,
    verifiedAt: null,
    components: {},
    recoveryPoint: { time },
    bytes: 0,
    storedBytes: 0,
    location: `${context.store.url}/${backupPrefix(backupId)}`,
    copies: [],
  };
}

function withoutArtifacts<T extends PostgresComponent | RedisComponent>(component: T): Omit<T, 'artifacts'> {
  const { artifacts: _artifacts, ...rest } = component;
  return rest;
}
