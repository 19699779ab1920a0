import type { BackupRecord, Problem } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { RepositoryContext } from '../context.ts';
import { holdKey, REPOSITORY_KEY } from '../layout.ts';
import { listBackups } from '../read/list-backups.ts';
import { readRepositoryFile } from '../repository-file.ts';
import { readSmallObject } from '../small-object.ts';
import { copyBackup, copyKey, isCopied } from './copy-backup.ts';
import { copyJournal } from './copy-journal.ts';
import { copySmall } from './copy-object.ts';
import { copyRemovals } from './copy-records.ts';
import { beginCopying, type Copying } from './copying.ts';
import type { Replicated, ReplicateRequest } from './replicated.ts';

/**
 * Brings backups and journals to a target, object by object, as they are stored. Journals come before manifests: what an
 * incremental backup stands on is there when it is listed. What is damaged at the source holds up nothing else.
 * @throws LifeboatError TARGET_FOREIGN, TARGET_COPY_WRONG, STORE_*
 */
export async function replicate(
  context: RepositoryContext,
  to: ObjectStore,
  request: ReplicateRequest & { readonly operation: Operation },
): Promise<Replicated> {
  const { backup, check, operation } = request;
  const copying = beginCopying({ from: context.store, to, check, operation });
  await ensureSameRepository(context, to);
  const wanted = chosen(await listBackups(context), backup);
  const problems: Problem[] = [];
  await copyRemovals(context, copying);
  for (const kind of ['postgres', 'redis'] as const) {
    await orProblem(problems, `journals/${kind}`, async () => copyJournal(context, copying, kind));
  }
  const backups: string[] = [];
  let present = 0;
  for (const record of wanted) {
    await orProblem(problems, record.id, async () => {
      if ((await copyOne(context, copying, record)) === 'copied') backups.push(record.id);
      else present += 1;
    });
  }
  const { copied: objects, bytes } = copying.done;
  return { backups, present, objects, bytes, problems };
}

/** Oldest first, so that what others stand on comes before them; ids sort by time. What is there already costs a look. */
function chosen(all: readonly BackupRecord[], backup: string): readonly BackupRecord[] {
  const oldestFirst = all.toReversed();
  if (backup === 'all') return oldestFirst;
  return oldestFirst.filter(({ id }) => id <= backup);
}

/** A backup that the target lists is whole there, since its manifest came last; only its key may be newer. */
async function copyOne(
  context: RepositoryContext,
  copying: Copying,
  { id, encrypted }: BackupRecord,
): Promise<'copied' | 'present'> {
  await copySmall(copying, holdKey(id));
  if (copying.check === 'size' && (await isCopied(context, copying.to, id))) {
    await copyKey(copying, { id, encrypted });
    return 'present';
  }
  return copyBackup(context, copying, id);
}

/** A target is made by its first copy, with the identity of what it is a copy of. @throws LifeboatError TARGET_FOREIGN */
async function ensureSameRepository(context: RepositoryContext, to: ObjectStore): Promise<void> {
  try {
    await requireSameRepository(context, to);
  } catch (error) {
    if (!(error instanceof LifeboatError && error.code === 'REPOSITORY_MISSING')) throw error;
    const file = await readSmallObject(context.store, REPOSITORY_KEY);
    if (file === undefined) throw new LifeboatError('REPOSITORY_MISSING', `copy ${context.store.url}: none there`);
    await to.put(REPOSITORY_KEY, file, { ifNoneMatch: true }).catch((raced: unknown) => {
      // Another copy was faster: whose repository it is shows when it is read.
      if (!(raced instanceof LifeboatError && raced.code === 'STORE_KEY_EXISTS')) throw raced;
    });
    await requireSameRepository(context, to);
  }
}

/** @throws LifeboatError TARGET_FOREIGN, REPOSITORY_MISSING where the target has none yet */
export async function requireSameRepository({ id }: Pick<RepositoryContext, 'id'>, to: ObjectStore): Promise<void> {
  const { repositoryId } = await readRepositoryFile(to, undefined);
  if (repositoryId === id) return;
  const facts = `it holds repository ${repositoryId}, not ${id}`;
  throw new LifeboatError('TARGET_FOREIGN', `copy to ${to.url}: ${facts}`, { details: { repositoryId } });
}

/** Damage of the source, or a backup that was removed meanwhile, is named and passed over; everything else rejects. */
async function orProblem(problems: Problem[], backupId: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const own = error instanceof LifeboatError && /^(OBJECT|MANIFEST|JOURNAL|KEY)_|^BACKUP_NOT_FOUND$/.test(error.code);
    if (!own) throw error;
    const { code, message, details } = error;
    problems.push({ backupId, key: String(details['key'] ?? backupId), code, message });
  }
}
