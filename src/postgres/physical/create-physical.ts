import { withScratch } from '../tools/scratch.ts';
import type { Wal } from '../wal/wal.ts';
import { combineBases } from './combine.ts';
import type { PhysicalBackup, PostgresServerTools } from './physical.ts';
import { requirePhysical, surveyPhysical } from './survey.ts';
import { takeBase } from './take-base.ts';
import { unpackBase } from './unpack-base.ts';
import { findMissingSummaries } from './wal-summaries.ts';

/**
 * The physical method on one set of server tools, of the server's major version or later. `scratchDir` takes passfiles for the
 * time of an operation, in folders that only this user can enter.
 */
export function createPhysicalBackup(deps: {
  readonly tools: PostgresServerTools;
  readonly wal: Pick<Wal, 'identify'>;
  readonly scratchDir: string;
}): PhysicalBackup {
  const { tools, wal, scratchDir } = deps;
  const look = { toolMajor: tools.major, identify: wal.identify };
  return {
    survey: async (target) => surveyPhysical(target, look),
    async takeBase(request, context) {
      const survey = await requirePhysical(request.target, look);
      return withScratch(scratchDir, async (folder) => takeBase(request, { ...context, tools, survey, folder }));
    },
    unpackBase,
    missingSummaries: findMissingSummaries,
    combine: async (request, operation) => combineBases(tools, request, operation),
  };
}
