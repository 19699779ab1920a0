import type { DirectoryControl, DirectoryData } from '../contract/directory.ts';
import { planRestoreToDirectory } from '../recovery/directory/plan-directory.ts';
import { restoreToDirectory } from '../recovery/directory/restore-to-directory.ts';
import { clearBeside } from '../recovery/directory/whole-or-absent.ts';
import type { Dependencies } from './dependencies.ts';
import { withOperation } from './operation.ts';
import { replaySources } from './replay/replay-sources.ts';

/** A cluster has this role unless it was renamed. */
const USUAL_ROLE = 'postgres';

export function createDirectoryActivities(deps: Dependencies): DirectoryControl & DirectoryData {
  const { settings } = deps;
  const sources = replaySources(deps);
  return {
    planDirectory: ({ request, restoreId }) =>
      withOperation(settings, async (operation) =>
        planRestoreToDirectory(sources, { ...request, restoreId }, operation),
      ),

    writeDirectory: ({ plan }) =>
      withOperation(settings, async (operation) => {
        const user = settings.postgres?.target.user ?? USUAL_ROLE;
        return restoreToDirectory({ sources, user }, plan, operation);
      }),

    clearDirectory: ({ directory }) => withOperation(settings, async () => clearBeside(directory)),
  };
}
