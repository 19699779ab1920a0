import { LifeboatError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { RepositoryContext } from '../context.ts';
import { REPOSITORY_KEY } from '../layout.ts';
import { readRepositoryFile } from '../repository-file.ts';
import { readSmallObject } from '../small-object.ts';

/** A target is made by its first copy, with the identity of what it is a copy of. @throws LifeboatError TARGET_FOREIGN */
export async function ensureSameRepository(context: RepositoryContext, to: ObjectStore): Promise<void> {
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
