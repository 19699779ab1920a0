import type { DirectoryControl, DirectoryData } from '../contract/directory.ts';
import type { DirectoryPlan } from '../domain/directory-plan.ts';
import type { Operation } from '../domain/operation.ts';
import { planRestoreToDirectory } from '../recovery/directory/plan-directory.ts';
import { restoreToDirectory } from '../recovery/directory/restore-to-directory.ts';
import { clearBeside } from '../recovery/directory/whole-or-absent.ts';
import type { Dependencies } from './dependencies.ts';
import { withOperation } from './operation.ts';
import { chooseSource, readingFrom, type ReadSource } from './read-source.ts';
import { replaySources } from './replay/replay-sources.ts';

/** A cluster has this role unless it was renamed. */
const USUAL_ROLE = 'postgres';

export function createDirectoryActivities(deps: Dependencies): DirectoryControl & DirectoryData {
  const { settings } = deps;
  return {
    planDirectory: ({ request, restoreId }) =>
      withOperation(settings, async (operation) =>
        planFrom(await chooseSource(deps, request.fromTarget), { ...request, restoreId }, operation),
      ),

    writeDirectory: ({ plan }) =>
      withOperation(settings, async (operation) => {
        const user = settings.postgres?.target.user ?? USUAL_ROLE;
        const sources = replaySources(readingFrom(deps, plan.from));
        return restoreToDirectory({ sources, user }, plan, operation);
      }),

    clearDirectory: ({ directory }) => withOperation(settings, async () => clearBeside(directory)),
  };
}

async function planFrom(
  { deps, from, notice }: ReadSource,
  request: Parameters<typeof planRestoreToDirectory>[1],
  operation: Operation,
): Promise<DirectoryPlan> {
  const plan = await planRestoreToDirectory(replaySources(deps), request, operation);
  return from === undefined ? plan : { ...plan, from, notice };
}
