import { isTakenAside } from '../../domain/backup.ts';
import type { Manifest } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { canonicalJson } from '../canonical-json.ts';
import { hiddenAmong } from '../cleanup/removal-record.ts';
import type { RepositoryContext } from '../context.ts';
import { BACKUPS_PREFIX, backupPrefix, isBackupId, manifestKey } from '../layout.ts';
import { parseJson, readSmallObject } from '../small-object.ts';
import { parseManifest } from './manifest-schema.ts';
import { requireTrusted } from './trust.ts';

export interface LoadedManifest {
  readonly manifest: Manifest;
  /** As stored: what was signed, and what the next manifest's chain digest covers. */
  readonly bytes: Buffer;
  readonly signed: boolean;
}

/** A published backup's manifest, when it can be trusted. BACKUP_NOT_FOUND, MANIFEST_* errors. */
export async function loadManifest(context: RepositoryContext, backupId: string): Promise<LoadedManifest> {
  const bytes = await readSmallObject(context.store, manifestKey(backupId));
  if (bytes === undefined) {
    throw new LifeboatError('BACKUP_NOT_FOUND', `backup ${backupId}: not in ${context.store.url}`, {
      details: { backupId },
    });
  }
  // First the signature: nothing else about untrusted bytes is worth reporting.
  const signed = await requireTrusted(context, backupId, bytes);
  const manifest = requireShape(backupId, bytes);
  requireHome(context, backupId, manifest);
  return { manifest, bytes, signed };
}

/** Ids under which something lies, newest first; published or not. */
export async function listBackupIds(store: ObjectStore): Promise<string[]> {
  const ids: string[] = [];
  for await (const name of store.folders(BACKUPS_PREFIX)) {
    if (isBackupId(name)) ids.push(name);
  }
  return ids.toSorted().toReversed();
}

/** Those that were not removed by retention. */
export async function listVisibleIds(context: RepositoryContext): Promise<string[]> {
  const ids = await listBackupIds(context.store);
  const hidden = await hiddenAmong(context, ids);
  return ids.filter((id) => !hidden.has(id));
}

/**
 * `latest` is the newest published backup that was asked for: copies taken before a restore and the start of a journal are not. One whose manifest is damaged counts:
 * it is never passed over silently, and loading it says what is wrong.
 */
export async function resolveBackupId(context: RepositoryContext, idOrLatest: string): Promise<string> {
  if (idOrLatest !== 'latest') return idOrLatest;
  for (const backupId of await listVisibleIds(context)) {
    if ((await context.store.head(manifestKey(backupId))) === undefined) continue;
    if (!(await isAside(context, backupId))) return backupId;
  }
  throw new LifeboatError('BACKUP_NOT_FOUND', `no backup in ${context.store.url}`);
}

async function isAside(context: RepositoryContext, backupId: string): Promise<boolean> {
  try {
    return isTakenAside((await loadManifest(context, backupId)).manifest);
  } catch (error) {
    // A store out of reach says nothing about the manifest; one that cannot be trusted is the caller's to report.
    if (error instanceof LifeboatError && error.rule.exit === 4) return false;
    throw error;
  }
}

function requireShape(backupId: string, bytes: Buffer): Manifest {
  const value = parseJson(bytes);
  const version = versionOf(value);
  if (version !== undefined && version > 1) {
    const facts = `format ${version}, this version reads 1`;
    throw new LifeboatError('MANIFEST_FORMAT_UNSUPPORTED', `manifest of ${backupId}: ${facts}`);
  }
  const parsed = parseManifest(value);
  if ('wrong' in parsed) throw invalid(backupId, `not as documented: ${parsed.wrong}`);
  if (!canonicalJson(parsed).equals(bytes)) throw invalid(backupId, 'not in canonical form');
  return parsed;
}

function versionOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null || !('formatVersion' in value)) return undefined;
  return typeof value.formatVersion === 'number' ? value.formatVersion : undefined;
}

/** A genuine manifest in a wrong place: of another repository, under another id, naming objects that are not its own. */
function requireHome(context: RepositoryContext, backupId: string, manifest: Manifest): void {
  if (manifest.repositoryId !== context.id || manifest.group !== context.group) {
    const facts = `of repository ${manifest.repositoryId}, group ${manifest.group}`;
    throw new LifeboatError('MANIFEST_FOREIGN', `manifest of ${backupId}: ${facts}`, { details: { backupId } });
  }
  if (manifest.id !== backupId) throw invalid(backupId, `it is the manifest of ${manifest.id}`);
  const components = [manifest.components.postgres, manifest.components.redis];
  const objects = components.flatMap((component) => component?.artifacts ?? []).flatMap((artifact) => artifact.objects);
  const stray = objects.find((object) => !object.key.startsWith(backupPrefix(backupId)));
  if (stray !== undefined) throw invalid(backupId, `object ${stray.key} lies outside the backup`);
}

function invalid(backupId: string, what: string): LifeboatError {
  return new LifeboatError('MANIFEST_INVALID', `manifest of ${backupId}: ${what}`, { details: { backupId } });
}
