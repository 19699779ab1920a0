import type { BackupCopy, BackupRecord } from '../domain/backup.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { CopyTarget, Dependencies } from './dependencies.ts';
import { within } from './within.ts';

/** For one target to say what it has: a list does not wait longer for one that is away. */
const ANSWER_MS = 10_000;

type CopyAt = (backupId: string) => BackupCopy;

/** Backups of a repository with what each target has of them; all targets are asked at once. */
export async function withCopies(
  { targets }: Pick<Dependencies, 'targets'>,
  repositoryId: string,
  backups: readonly BackupRecord[],
): Promise<BackupRecord[]> {
  const looks = await Promise.all(targets.map(async (target) => lookAt(target, repositoryId)));
  return backups.map((backup) => ({ ...backup, copies: looks.map((copyAt) => copyAt(backup.id)) }));
}

async function lookAt(target: CopyTarget, repositoryId: string): Promise<CopyAt> {
  try {
    return await within(ANSWER_MS, { doing: `ask target ${target.name}` }, readCopies(target, repositoryId));
  } catch (error) {
    // That one is away is what is told of it, beside everything else; `replication status` says why.
    if (!(error instanceof LifeboatError)) throw error;
    const state = error.code === 'REPOSITORY_MISSING' ? 'missing' : 'unknown';
    return () => ({ target: target.name, state, verifiedAt: null });
  }
}

async function readCopies({ name, repository }: CopyTarget, repositoryId: string): Promise<CopyAt> {
  const there = await repository();
  if (there.id !== repositoryId) return () => ({ target: name, state: 'unknown', verifiedAt: null });
  const listed = new Map((await there.list()).map((backup) => [backup.id, backup]));
  const { backupIds: removed } = await there.cleanup.removedHere();
  return (id) => {
    const found = listed.get(id);
    if (found === undefined) return { target: name, state: removed.has(id) ? 'removed' : 'missing', verifiedAt: null };
    const state = found.status === 'damaged' ? 'damaged' : 'present';
    return { target: name, state, verifiedAt: found.verifiedAt };
  };
}
