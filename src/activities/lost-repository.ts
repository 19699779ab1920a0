import { LifeboatError } from '../domain/errors.ts';
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
