import type { CleanupControl, CleanupData, TargetCleanup } from '../../contract/cleanup.ts';
import { abandonedAge } from '../../recovery/cleanup/plan-cleanup.ts';
import { sweepScratch } from '../../recovery/drill/scratch-place.ts';
import type { Dependencies } from '../dependencies.ts';
import { withOperation } from '../operation.ts';
import { postgresTarget } from '../sources.ts';
import { changeHold } from './change-hold.ts';
import { dropReplacedTables } from './drop-replaced-tables.ts';
import { hideRemoved, LOCKED_TOLD, purgeHidden } from './hide-removed.ts';
import { createTargetCleanup } from './target-cleanup.ts';
import { planCleanup, unreferencedBytes } from './plan-cleanup.ts';

export function createCleanupActivities(deps: Dependencies): CleanupControl & CleanupData & TargetCleanup {
  const { settings } = deps;
  return {
    ...createTargetCleanup(deps),

    planCleanup: ({ request: { includeDamaged = false } }) =>
      withOperation(settings, async (operation) => planCleanup(deps, { nowMs: Date.now(), includeDamaged }, operation)),

    hideRemoved: (input) =>
      withOperation(settings, async (operation) => hideRemoved(await deps.repository(), input, operation)),

    purgeHidden: (input) =>
      withOperation(settings, async (operation) => purgeHidden(await deps.repository(), input, operation)),

    removeUnreferenced: ({ at }) =>
      withOperation(settings, async (operation) => {
        const age = abandonedAge(Date.parse(at), settings.cleanup);
        const { cleanup } = await deps.repository();
        const removed = await cleanup.removeUnreferenced(age, operation);
        await sweepScratch(await settings.scratchFolder());
        const { unfinishedWrites, locked } = removed;
        return { bytes: unreferencedBytes(removed), unfinishedWrites, locked: locked.slice(0, LOCKED_TOLD) };
      }),

    dropReplaced: ({ replaced }) =>
      withOperation(settings, async () => {
        const postgres = await deps.postgres();
        const dropped: string[] = [];
        for (const one of replaced) {
          if (await postgres.dropIdentical(postgresTarget(settings), one)) dropped.push(one.database);
        }
        return { dropped };
      }),

    dropReplacedTables: ({ tables }) =>
      withOperation(settings, async (operation) => ({ staying: await dropReplacedTables(deps, tables, operation) })),

    changeHold: ({ request }) =>
      withOperation(settings, async () => changeHold(deps, request, new Date().toISOString())),
  };
}
