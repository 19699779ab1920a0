import { dumpDatabase } from './dump/dump.ts';
import { inspectDatabase } from './inspect/inspect.ts';
import type { Postgres, PostgresTools } from './postgres.ts';
import { restoreAside } from './restore/restore-aside.ts';
import { dropDatabase } from './swap/drop-database.ts';
import { dropIdentical, findDatabases } from './swap/replaced-databases.ts';
import { surveyTarget } from './swap/survey-target.ts';
import { swapDatabases } from './swap/swap.ts';
import { undoSwap } from './swap/undo-swap.ts';
import { loadTables } from './tables/load-tables.ts';
import { dropStaging, moveTables } from './tables/move-tables.ts';
import { listDumped } from './tables/list-dumped.ts';
import { surveyTables } from './tables/survey-tables.ts';
import { dropKept, findKept } from './tables/drop-kept.ts';
import { undoMove } from './tables/undo-move.ts';
import { probeTools, requireToolsFor, type ToolVersions } from './tools/client-tools.ts';
import { withScratch } from './tools/scratch.ts';
import { writePassfile } from './tools/tool-environment.ts';

/**
 * The logical method on one set of client tools. `scratchDir` takes passfiles and definitions (never rows) for the time of
 * an operation, in folders that only this user can enter.
 */
export function createPostgres(deps: { readonly tools: PostgresTools; readonly scratchDir: string }): Postgres {
  const { tools, scratchDir } = deps;
  let probed: Promise<ToolVersions> | undefined;
  const probe = (): Promise<ToolVersions> => {
    // A tool that was missing may be installed by the next call, so only success is kept.
    probed ??= probeTools(tools, scratchDir).catch((error: unknown) => {
      probed = undefined;
      throw error;
    });
    return probed;
  };
  return {
    inspect: async (target, options) => inspectDatabase(target, options, await probe()),
    dump: async (target, options, context) => {
      const versions = await probe();
      return withScratch(scratchDir, async (folder) => {
        const passfile = await writePassfile(folder, target.password);
        return dumpDatabase(target, options, { ...context, tools, versions, passfile });
      });
    },
    surveyTarget,
    restoreAside: async (request, context) => {
      const versions = await probe();
      // The archives were written by tools of the server's version or later; older ones cannot read them.
      requireToolsFor(versions, request.facts.serverVersion);
      return withScratch(scratchDir, async (folder) => {
        const passfile = await writePassfile(folder, request.target.password);
        return restoreAside(request, { ...context, tools, versions, folder, passfile });
      });
    },
    swap: swapDatabases,
    undoSwap,
    dropDatabase,
    findDatabases,
    dropIdentical,
    tables: {
      survey: surveyTables,
      list: listDumped,
      load: async (request, operation) => {
        const versions = await probe();
        if (request.origin.from === 'dump') requireToolsFor(versions, request.origin.facts.serverVersion);
        return withScratch(scratchDir, async (folder) => {
          const passfile = await writePassfile(folder, request.target.password);
          return loadTables(request, { operation, tools, versions, folder, passfile });
        });
      },
      move: moveTables,
      undoMove,
      findKept,
      dropKept,
      drop: dropStaging,
    },
  };
}
