import { LifeboatError, toLifeboatError } from '../domain/errors.ts';
import type { Repository } from '../repository/repository.ts';
import type { CopyTarget, Dependencies } from './dependencies.ts';
import { within } from './within.ts';

const ANSWER_MS = 20_000;

/**
 * A journal would begin anew in the place of a repository that was lost, and have a full backup of whatever is live now taken, which then
 * would be the newest: not while a target still has the copies that somebody is about to restore.
 * @throws LifeboatError REPOSITORY_LOST
 */
export async function requireNotLost(deps: Pick<Dependencies, 'hasRepository' | 'targets'>): Promise<void> {
  if (deps.targets.length === 0 || (await deps.hasRepository())) return;
  const answers = await Promise.all(deps.targets.map(async (target) => (await hasCopies(target)) && target.name));
  const holder = answers.find((name) => name !== false);
  if (holder === undefined) return;
  const facts = `target ${holder} has copies of one, and the store has none`;
  throw new LifeboatError('REPOSITORY_LOST', `open the repository: ${facts}`, { details: { target: holder } });
}

/** The repository as it is there: none is made. @throws LifeboatError REPOSITORY_MISSING, STORE_* */
export async function openExisting(deps: Pick<Dependencies, 'hasRepository' | 'repository'>): Promise<Repository> {
  if (await deps.hasRepository()) return deps.repository();
  throw new LifeboatError('REPOSITORY_MISSING', 'the store holds no repository');
}

/** Null where a target holds no repository: nothing was copied there yet. */
export async function orNothing<T>(work: Promise<T>): Promise<T | null> {
  return work.catch((error: unknown) => {
    if (toLifeboatError(error).code === 'REPOSITORY_MISSING') return null;
    throw error;
  });
}

/** A target that cannot be asked says nothing: a new installation must not wait for it. */
async function hasCopies({ name, repository }: CopyTarget): Promise<boolean> {
  try {
    await within(ANSWER_MS, { doing: `ask target ${name}` }, repository());
    return true;
  } catch (error) {
    if (error instanceof LifeboatError) return false;
    throw error;
  }
}
