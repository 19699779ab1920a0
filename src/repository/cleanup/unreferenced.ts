import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { PROBE_PREFIX } from '../../storage/doctor/probe.ts';
import type { ObjectHead } from '../../storage/object-store.ts';
import { LASTING_PROBE_KEY } from '../../storage/require-conditional-writes.ts';
import { leftoverKeys } from '../backup/backup-contents.ts';
import { discardBackup } from '../backup/discard.ts';
import type { RepositoryContext } from '../context.ts';
import { backupPrefix, manifestKey, WRITTEN_PREFIXES } from '../layout.ts';
import { listBackupIds, listVisibleIds, loadManifest } from '../manifest/load-manifest.ts';
import { hiddenAmong } from './removal-record.ts';
import type { Age, RemovedUnreferenced, Unreferenced } from './repository-cleanup.ts';
import { type Locked, unlessLocked } from './unless-locked.ts';

/** Changes nothing. */
export async function findUnreferenced(
  context: RepositoryContext,
  age: Age,
  { signal }: Operation,
): Promise<Unreferenced> {
  const ids = await listBackupIds(context.store);
  // What was removed by retention is on its way out by itself.
  const hidden = await hiddenAmong(context, ids);
  const abandoned: { backupId: string; sizeBytes: number }[] = [];
  for (const backupId of ids) {
    signal.throwIfAborted();
    if (hidden.has(backupId) || (await context.store.head(manifestKey(backupId))) !== undefined) continue;
    const sizeBytes = await oldSize(context, backupId, age);
    if (sizeBytes !== undefined) abandoned.push({ backupId, sizeBytes });
  }
  const leftovers: { key: string; sizeBytes: number }[] = [];
  for await (const head of context.store.list(PROBE_PREFIX)) {
    const { key, sizeBytes } = head;
    if (key !== LASTING_PROBE_KEY && isOld(head, age)) leftovers.push({ key, sizeBytes });
  }
  for (const backupId of await listVisibleIds(context)) {
    signal.throwIfAborted();
    for (const { key, sizeBytes } of await findLeftovers(context, backupId, age)) leftovers.push({ key, sizeBytes });
  }
  return { abandoned, leftovers };
}

/** Removes what was found, and unfinished writes and uploads of that age. Safe to repeat. */
export async function removeUnreferenced(
  context: RepositoryContext,
  age: Age,
  operation: Operation,
): Promise<RemovedUnreferenced> {
  const locked: Locked[] = [];
  const found = await findUnreferenced(context, age, operation);
  for (const { backupId } of found.abandoned) {
    operation.signal.throwIfAborted();
    operation.onProgress({ phase: 'removing', object: backupId, bytes: 0 });
    await unlessLocked(backupId, locked, async () => discardBackup(context.store, backupId));
  }
  for (const { key } of found.leftovers) {
    operation.signal.throwIfAborted();
    operation.onProgress({ phase: 'removing', object: key, bytes: 0 });
    await unlessLocked(key, locked, async () => context.store.remove(key));
  }
  let unfinishedWrites = 0;
  for (const prefix of WRITTEN_PREFIXES) {
    operation.signal.throwIfAborted();
    unfinishedWrites += await context.store.removeLeftovers(prefix, age.olderThanMs);
  }
  const stays = new Set(locked.map(({ what }) => what));
  const abandoned = found.abandoned.filter(({ backupId }) => !stays.has(backupId));
  const leftovers = found.leftovers.filter(({ key }) => !stays.has(key));
  return { abandoned, leftovers, unfinishedWrites, locked };
}

const isOld = ({ modifiedAt }: ObjectHead, { nowMs, olderThanMs }: Age): boolean =>
  modifiedAt.getTime() <= nowMs - olderThanMs;

/** Bytes of an unpublished backup; undefined while anything of it is younger than the age, or it is an exception. */
async function oldSize(context: RepositoryContext, backupId: string, age: Age): Promise<number | undefined> {
  if (age.except?.has(backupId) === true) return undefined;
  let sizeBytes = 0;
  for await (const head of context.store.list(backupPrefix(backupId))) {
    if (!isOld(head, age)) return undefined;
    sizeBytes += head.sizeBytes;
  }
  return sizeBytes;
}

async function findLeftovers(context: RepositoryContext, backupId: string, age: Age): Promise<ObjectHead[]> {
  const manifest = await loadManifest(context, backupId).then(
    (loaded) => loaded.manifest,
    (error: unknown) => {
      // One that cannot be trusted says nothing about what is its own; and one that was not published has no leftovers.
      if (error instanceof LifeboatError && /^(?:MANIFEST_|BACKUP_NOT_FOUND)/.test(error.code)) return undefined;
      throw error;
    },
  );
  if (manifest === undefined) return [];
  const isLeft = leftoverKeys(manifest);
  const found: ObjectHead[] = [];
  for await (const head of context.store.list(backupPrefix(backupId))) {
    if (isLeft(head.key) && isOld(head, age)) found.push(head);
  }
  return found;
}
