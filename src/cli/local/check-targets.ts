import { openTargets, type OpenTarget } from '../../assembly/open-targets.ts';
import { openPrimaryStore } from '../../assembly/open-stores.ts';
import type { Config } from '../../config/schema/config.ts';
import { LifeboatError, toLifeboatError } from '../../domain/errors.ts';
import { readRepositoryFile } from '../../repository/repository-file.ts';
import { requireConditionalWrites } from '../../storage/require-conditional-writes.ts';
import { attempt, type ConfigCheck, fail } from './check.ts';

/** Each target: whether it answers, writes conditionally, and holds nothing or the same repository. */
export async function checkTargets(config: Config): Promise<readonly ConfigCheck[]> {
  let targets: readonly OpenTarget[];
  try {
    targets = openTargets(config, 'lifeboat');
  } catch (error) {
    return [fail('targets', error)];
  }
  return Promise.all(
    targets.map(async (target) => attempt(`target ${target.name}`, async () => checkTarget(config, target))),
  );
}

async function checkTarget(config: Config, target: OpenTarget): Promise<string> {
  const store = target.store();
  const primary = openPrimaryStore(config);
  if (store.url === primary.url) {
    throw new LifeboatError('CONFIG_INVALID', `${store.url}: it is the repository itself, not a second place`);
  }
  await requireConditionalWrites(store);
  const [own, there] = await Promise.all([identityOf(primary, config.group), identityOf(store, config.group)]);
  if (there === null) return `${store.url}: it answers; nothing was copied there yet`;
  if (own !== null && own !== there) {
    throw new LifeboatError('TARGET_FOREIGN', `${store.url}: holds repository ${there}, not ${own}`);
  }
  return `${store.url}: holds copies of repository ${there}`;
}

/** Null where there is no repository. */
async function identityOf(store: Parameters<typeof readRepositoryFile>[0], group: string): Promise<string | null> {
  try {
    return (await readRepositoryFile(store, group)).repositoryId;
  } catch (error) {
    if (toLifeboatError(error).code === 'REPOSITORY_MISSING') return null;
    throw error;
  }
}
