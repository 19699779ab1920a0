import type { Manifest, Problem } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { ObjectHead } from '../../storage/object-store.ts';
import { createKeyFilter } from '../backup/backup-contents.ts';
import { readRecords } from '../cleanup/read-records.ts';
import type { Removal } from '../cleanup/removal-record.ts';
import type { RepositoryContext } from '../context.ts';
import { BACKUPS_PREFIX, manifestKey } from '../layout.ts';
import { listBackupIds, loadManifest, type LoadedManifest } from '../manifest/load-manifest.ts';
import { mapBounded } from '../map-bounded.ts';
import { readSmallObject, sha256Of } from '../small-object.ts';
import { unexpected } from './verify-backup.ts';

const LOADS_AT_ONCE = 16;

/** Problems of the group as a whole; reads manifests and names, not the objects. */
export async function verifyChain(context: RepositoryContext): Promise<Problem[]> {
  const ids = (await listBackupIds(context.store)).toReversed();
  const loads = await mapBounded(ids, LOADS_AT_ONCE, (backupId) => tryLoad(context, backupId));
  const manifests = loads.flatMap((load) => (load !== undefined && 'manifest' in load ? [load.manifest] : []));
  const records = await readRecords(context);
  const linked = [...manifests, ...[...records.removals.values()].map((one) => ({ ...one, id: one.backupId }))];
  const links = await mapBounded(linked, LOADS_AT_ONCE, (link) => verifyLink(context, link, records.removals));
  const problems = loads.flatMap((load) => (load !== undefined && 'problem' in load ? [load.problem] : []));
  return [...problems, ...records.problems, ...unique(links.flat()), ...(await findUnexpected(context, manifests))];
}

async function tryLoad(
  context: RepositoryContext,
  backupId: string,
): Promise<LoadedManifest | { problem: Problem } | undefined> {
  try {
    return await loadManifest(context, backupId);
  } catch (error) {
    if (!(error instanceof LifeboatError)) throw error;
    // Begun and not published: no link of the chain.
    if (error.code === 'BACKUP_NOT_FOUND') return undefined;
    if (!error.code.startsWith('MANIFEST_')) throw error;
    return { problem: { backupId, key: manifestKey(backupId), code: error.code, message: error.message } };
  }
}

/** A manifest that is named must be there, or a signed record must say that this very one was removed. */
async function verifyLink(
  context: RepositoryContext,
  { id, previousManifest: previous }: Pick<Manifest, 'id' | 'previousManifest'>,
  removals: ReadonlyMap<string, Removal>,
): Promise<Problem[]> {
  if (previous === null || removals.get(previous.id)?.manifestSha256 === previous.sha256) return [];
  const key = manifestKey(previous.id);
  const bytes = await readSmallObject(context.store, key);
  if (bytes !== undefined && sha256Of(bytes) === previous.sha256) return [];
  const what = bytes === undefined ? 'is not there' : 'is another one';
  const message = `the manifest of ${previous.id}, which ${id} follows, ${what}`;
  return [{ backupId: previous.id, key, code: 'MANIFEST_CHAIN_BROKEN', message }];
}

/** A manifest and the record of its removal name the same one before it. */
function unique(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.key} ${problem.message}`, problem])).values()];
}

async function findUnexpected(context: RepositoryContext, manifests: readonly Manifest[]): Promise<Problem[]> {
  const filters = new Map(manifests.map((manifest) => [manifest.id, createKeyFilter(manifest)]));
  const problems: Problem[] = [];
  for await (const head of context.store.list(BACKUPS_PREFIX)) {
    const backupId = backupIdOf(head);
    if (filters.get(backupId)?.(head.key) === false) problems.push(unexpected(backupId, head));
  }
  return problems;
}

function backupIdOf(head: ObjectHead): string {
  return head.key.slice(BACKUPS_PREFIX.length).split('/', 1)[0] ?? '';
}
