import type { DrillControl, DrillData } from '../../contract/drill.ts';
import { planDrill } from '../../recovery/drill/plan-drill.ts';
import { rehearse } from '../../recovery/drill/rehearse.ts';
import { sweepScratch } from '../../recovery/drill/scratch-place.ts';
import type { DrillContext } from '../../recovery/drill/drill-context.ts';
import type { Dependencies } from '../dependencies.ts';
import { withOperation } from '../operation.ts';
import { chooseSource, readingFrom } from '../read-source.ts';
import { replaySources } from '../replay/replay-sources.ts';
import { publishDrill } from './publish-drill.ts';

/** A cluster has this role unless it was renamed. */
const USUAL_ROLE = 'postgres';

export function createDrillActivities(deps: Dependencies): DrillControl & DrillData {
  const { settings } = deps;
  return {
    planDrill: ({ request, drillId, draw }) =>
      withOperation(settings, async (operation) => {
        const { deps: source, from, notice } = await chooseSource(deps, request.fromTarget);
        const wanted = { choice: request.choice, drillId, draw };
        const plan = await planDrill(replaySources(source), wanted, operation);
        return from === undefined ? plan : { ...plan, from, notice };
      }),

    rehearseDrill: ({ plan, runId }) =>
      withOperation(settings, async (operation) => {
        const source = readingFrom(deps, plan.from);
        const owner = { group: settings.group, drillId: plan.drillId, runId };
        const repository = await source.repository();
        return rehearse(
          await drillContext(source),
          {
            plan,
            owner,
            async record(manifests, startedAt) {
              for (const manifest of manifests) await repository.recordRead(manifest, startedAt);
            },
          },
          operation,
        );
      }),

    clearDrills: () =>
      withOperation(settings, async () => ({
        removed: (await sweepScratch(await settings.scratchFolder())).removed,
      })),

    publishDrill: (input) => withOperation(settings, async () => publishDrill(deps, input)),
  };
}

async function drillContext(deps: Dependencies): Promise<DrillContext> {
  const { settings, redis } = deps;
  return {
    sources: replaySources(deps),
    redis,
    redisServer: async () => deps.redisServer(),
    postgres: async (scratchDir) => deps.postgresIn(scratchDir),
    user: settings.postgres?.target.user ?? USUAL_ROLE,
    scratchParent: await settings.scratchFolder(),
    checks: settings.drill.checks,
  };
}
