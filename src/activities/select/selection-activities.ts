import type { SelectionControl, SelectionData } from '../../contract/selection.ts';
import { parseTableName } from '../../domain/table-name.ts';
import type { Dependencies } from '../dependencies.ts';
import { withOperation } from '../operation.ts';
import { postgresTarget } from '../sources.ts';
import { loadSelectedTables } from './load-tables.ts';
import { surveySelection } from './plan-selection.ts';
import { loadSelectedKeys, revertSelectedKeys, surveySelectedKeys } from './select-keys.ts';

/** Restores of single tables and keys. */
export function createSelectionActivities(deps: Dependencies): SelectionControl & SelectionData {
  const { settings } = deps;
  const live = (database: string): ReturnType<typeof postgresTarget> => ({ ...postgresTarget(settings), database });
  return {
    planSelection: (input) => withOperation(settings, (operation) => surveySelection(deps, input, operation)),

    moveTables: ({ tables, homes }) =>
      withOperation(settings, async () => {
        const { database, names, stagingSchema, intoSchema, keptSchema } = tables;
        const move = { stagingSchema, intoSchema, keptSchema, homes, tables: names.map(parseTableName) };
        const { replaced, kept, placed } = await (
          await deps.postgres()
        ).tables.move({ target: live(database), ...move });
        return { replaced, kept, placed };
      }),

    undoTables: ({ tables, dryRun }) =>
      withOperation(settings, async () =>
        (await deps.postgres()).tables.undoMove({ ...tables, target: live(tables.database), dryRun }),
      ),

    dropLoadedTables: ({ database, stagingSchema, asideDatabase }) =>
      withOperation(settings, async () => {
        const postgres = await deps.postgres();
        await postgres.tables.drop(live(database), stagingSchema);
        await postgres.dropDatabase(live(database), asideDatabase);
      }),

    loadTables: (input) => withOperation(settings, (operation) => loadSelectedTables(deps, input, operation)),
    surveyKeys: (input) => withOperation(settings, (operation) => surveySelectedKeys(deps, input, operation)),
    loadKeys: (input) => withOperation(settings, (operation) => loadSelectedKeys(deps, input, operation)),
    revertKeys: (input) => withOperation(settings, (operation) => revertSelectedKeys(deps, input, operation)),
  };
}
