import type { Manifest, StoredObject } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { openBackupKey } from './backup-key.ts';
import { requireBegun } from './begin.ts';
import { canonicalJson } from '../canonical-json.ts';
import { componentOf, readComponentIndex } from './component-index.ts';
import type { WriterContext } from '../context.ts';
import { manifestKey, signatureKey } from '../layout.ts';
import { listBackupIds, loadManifest } from '../manifest/load-manifest.ts';
import { parseManifest } from '../manifest/manifest-schema.ts';
import { requireTrusted } from '../manifest/trust.ts';
import { mapBounded } from '../map-bounded.ts';
import type { PublishBackup } from '../repository.ts';
import { parseJson, readSmallObject, sha256Of } from '../small-object.ts';

/** Looks at a store at once. */
const HEADS_AT_ONCE = 16;

/**
 * Makes a backup visible. Order that is load-bearing: all objects looked at, then the signature, then the manifest with
 * if-none-match; so that a manifest that is there has its objects and its signature. Two attempts at once end in one
 * manifest: the later one finds the other's, and signs it again where its own signature had replaced that one's.
 */
export async function publishBackup(context: WriterContext, request: PublishBackup): Promise<Manifest> {
  const { backupId } = request;
  await requireBegun(context.store, backupId, request.codec);
  const components = await readComponents(context, request);
  const previousManifest = await findPrevious(context, backupId);
  const manifest = await buildManifest(context, request, { components, previousManifest });

  const present = await readSmallObject(context.store, manifestKey(backupId));
  if (present !== undefined) await confirmPublished(context, manifest, present);
  else await writeManifest(context, manifest);
  return (await loadManifest(context, backupId)).manifest;
}

async function writeManifest(context: WriterContext, manifest: Manifest): Promise<void> {
  const bytes = canonicalJson(manifest);
  await writeSignature(context, manifest, bytes);
  try {
    await context.store.put(manifestKey(manifest.id), bytes, { ifNoneMatch: true });
  } catch (error) {
    if (!(error instanceof LifeboatError && error.code === 'STORE_KEY_EXISTS')) throw error;
    const present = await readSmallObject(context.store, manifestKey(manifest.id));
    await confirmPublished(context, manifest, present ?? Buffer.alloc(0));
  }
}

/** What is there must say the same, but for the end time and the tool, which are those of the attempt that came first. */
async function confirmPublished(context: WriterContext, manifest: Manifest, present: Buffer): Promise<void> {
  const found = parseManifest(parseJson(present));
  if ('wrong' in found) throw conflict(manifest.id);
  const signed = await isTrusted(context, manifest.id, present);
  const { finishedAt, tool, previousManifest } = found;
  // Backups may have followed since; but a chain that nobody signed yet is taken from the store, not from the manifest.
  const chain = signed ? { previousManifest } : {};
  if (!canonicalJson({ ...manifest, finishedAt, tool, ...chain }).equals(present)) throw conflict(manifest.id);
  if (!signed) await writeSignature(context, found, present);
}

async function isTrusted(context: WriterContext, backupId: string, manifest: Buffer): Promise<boolean> {
  try {
    return await requireTrusted(context, backupId, manifest);
  } catch (error) {
    if (error instanceof LifeboatError && error.code === 'MANIFEST_SIGNATURE_INVALID') return false;
    throw error;
  }
}

async function readComponents(context: WriterContext, request: PublishBackup): Promise<Manifest['components']> {
  if (request.components.length === 0) {
    throw new LifeboatError('COMPONENT_INDEX_INVALID', `publish ${request.backupId}: no component`);
  }
  const components: Record<string, ReturnType<typeof componentOf>> = {};
  for (const ref of request.components) {
    const index = await readComponentIndex(context.store, request.backupId, ref);
    const objects = index.artifacts.flatMap((artifact) => artifact.objects);
    await mapBounded(objects, HEADS_AT_ONCE, (object) => requirePresent(context, object));
    components[ref.component] = componentOf(index);
  }
  return components;
}

async function requirePresent(context: WriterContext, object: StoredObject): Promise<void> {
  const head = await context.store.head(object.key);
  if (head?.sizeBytes === object.storedBytes) return;
  const code = head === undefined ? 'OBJECT_MISSING' : 'OBJECT_SIZE_MISMATCH';
  const found = head === undefined ? 'not in the store' : `${head.sizeBytes} bytes, not ${object.storedBytes}`;
  throw new LifeboatError(code, `publish: ${object.key}: ${found}`, { details: { key: object.key } });
}

async function buildManifest(
  context: WriterContext,
  request: PublishBackup,
  made: Pick<Manifest, 'components' | 'previousManifest'>,
): Promise<Manifest> {
  const { backupId, kind, label, holds, createdAt, finishedAt, recoveryPoint, warnings } = request;
  const encrypted = request.codec.encryption !== 'none';
  return {
    formatVersion: 1,
    id: backupId,
    kind,
    group: context.group,
    repositoryId: context.id,
    parentId: request.parentId ?? null,
    ...made,
    createdAt,
    finishedAt,
    label,
    holds,
    tool: context.tool,
    // The key is opened, not only named: a backup whose key does not open is found before it is listed.
    codec: {
      ...request.codec,
      keyCheckValue: encrypted ? (await openBackupKey(context, backupId)).checkValue : null,
    },
    recoveryPoint,
    warnings,
  };
}

/** The newest manifest that is there, as it is; whether it can be trusted is a question for readers. */
async function findPrevious(context: WriterContext, backupId: string): Promise<Manifest['previousManifest']> {
  for (const id of await listBackupIds(context.store)) {
    const bytes = id === backupId ? undefined : await readSmallObject(context.store, manifestKey(id));
    if (bytes !== undefined) return { id, sha256: sha256Of(bytes) };
  }
  return null;
}

async function writeSignature(context: WriterContext, manifest: Manifest, bytes: Buffer): Promise<void> {
  if (context.signer === undefined) return;
  const seconds = Math.floor(new Date(manifest.finishedAt).getTime() / 1000);
  const comment = `timestamp:${seconds}\tfile:manifest.json\tbackup:${manifest.id}\thashed`;
  await context.store.put(signatureKey(manifest.id), Buffer.from(context.signer.sign(bytes, comment)));
}

function conflict(backupId: string): LifeboatError {
  return new LifeboatError('MANIFEST_CONFLICT', `publish ${backupId}: published before, with other content`, {
    details: { backupId },
  });
}
