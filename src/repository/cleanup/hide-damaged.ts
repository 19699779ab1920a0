import { LifeboatError } from '../../domain/errors.ts';
import type { RepositoryContext, WriterContext } from '../context.ts';
import { manifestKey } from '../layout.ts';
import { listBackupIds, loadManifest } from '../manifest/load-manifest.ts';
import { mapBounded } from '../map-bounded.ts';
import { readSmallObject, sha256Of } from '../small-object.ts';
import { readRemovals } from './read-records.ts';
import { readRemoval, removalPlace } from './removal-record.ts';
import type { DamagedRemoval } from './repository-cleanup.ts';
import { writeRecord } from './signed-record.ts';

const LOADS_AT_ONCE = 16;

/**
 * First half of the removal of a backup whose manifest cannot be trusted. The record names the digest by which its successor knows it, so
 * that the chain stays provable; what came before it only its own manifest said. Safe to repeat.
 * @throws LifeboatError BACKUP_STILL_NEEDED where nothing proves that it is damaged, unless forced
 */
export async function hideDamaged(
  context: WriterContext,
  backupId: string,
  { force, digests, ...why }: DamagedRemoval,
): Promise<void> {
  if ((await readRemoval(context, backupId)) !== undefined) return;
  const bytes = await readSmallObject(context.store, manifestKey(backupId));
  const named = digests.get(backupId);
  const present = bytes && sha256Of(bytes);
  const manifestSha256 = named ?? present;
  if (manifestSha256 === undefined || (!force && (named === undefined || named === present))) {
    throw new LifeboatError('BACKUP_STILL_NEEDED', `remove ${backupId}: nothing proves that its manifest is damaged`);
  }
  await writeRecord(context, removalPlace(backupId), {
    version: 1,
    repositoryId: context.id,
    group: context.group,
    backupId,
    manifestSha256,
    previousManifest: null,
    ...why,
    reasons: [...why.reasons],
  });
}

/** Those of which a trusted document says that they were another manifest than the one that is there: it is not only a key that is missing. */
export async function provenDamaged(
  context: RepositoryContext,
  backupIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (backupIds.length === 0) return new Set();
  const named = await knownDigests(context);
  const found = await mapBounded(backupIds, LOADS_AT_ONCE, async (id) => {
    const bytes = await readSmallObject(context.store, manifestKey(id));
    const digest = named.get(id);
    return bytes !== undefined && digest !== undefined && sha256Of(bytes) !== digest ? [id] : [];
  });
  return new Set(found.flat());
}

/** Digests of manifests, by backup, as the manifests and records behind them say; only what can be trusted says anything. */
export async function knownDigests(context: RepositoryContext): Promise<ReadonlyMap<string, string>> {
  const { removals } = await readRemovals(context);
  const ids = await listBackupIds(context.store);
  const manifests = await mapBounded(ids, LOADS_AT_ONCE, async (id) => {
    try {
      return [(await loadManifest(context, id)).manifest];
    } catch (error) {
      if (error instanceof LifeboatError && /^(?:MANIFEST_|BACKUP_NOT_FOUND)/.test(error.code)) return [];
      throw error;
    }
  });
  const links = [...manifests.flat(), ...removals.values()].map(({ previousManifest }) => previousManifest);
  return new Map(links.filter((link) => link !== null).map(({ id, sha256 }) => [id, sha256]));
}
