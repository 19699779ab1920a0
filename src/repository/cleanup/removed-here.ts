import type { RepositoryContext } from '../context.ts';
import { epochsRemovedHere } from './epoch-removal.ts';
import { readRemovals } from './read-records.ts';
import type { RemovedHere } from './repository-cleanup.ts';

/** What the own rules of a target removed there. A record that cannot be trusted removes nothing. */
export async function removedHere(context: RepositoryContext): Promise<RemovedHere> {
  const { removals } = await readRemovals(context);
  const own = [...removals.values()].filter(({ scope }) => scope === 'target');
  return { backupIds: new Set(own.map(({ backupId }) => backupId)), epochs: await epochsRemovedHere(context) };
}
