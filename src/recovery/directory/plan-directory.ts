import { type DirectoryPlan, planDirectory } from '../../domain/directory-plan.ts';
import type { Operation } from '../../domain/operation.ts';
import type { ReplaySources } from '../replay/replay-sources.ts';
import { type ReplayRequest, resolveReplay } from '../replay/resolve-replay.ts';
import { requireFreeDirectory } from './whole-or-absent.ts';

/**
 * What a restore into a directory means: which base, which snapshot, and how far each is replayed. Looks only.
 * @param request `directory` is an absolute path on this host
 * @throws LifeboatError RESTORE_DIRECTORY_*, RESTORE_COMPONENT_MISSING, BACKUP_NOT_FOUND, JOURNAL_TARGET_OUTSIDE
 */
export async function planRestoreToDirectory(
  sources: ReplaySources,
  request: ReplayRequest & { readonly directory: string; readonly restoreId: string },
  operation: Operation,
): Promise<DirectoryPlan> {
  const directory = await requireFreeDirectory(request.directory);
  const { restoreId } = request;
  const { manifest, components, replay } = await resolveReplay(sources, request, operation);
  const repository = await sources.repository();
  const load = async (id: string | undefined): Promise<typeof manifest> =>
    id === undefined || id === manifest.id ? manifest : repository.load(id);
  const base = await load(replay?.postgres?.baseId);
  const snapshot = await load(replay?.redis?.snapshotId);
  return planDirectory({ manifest, components, replay, base, snapshot }, { directory, restoreId });
}
