import type { UndoRestoreResult } from '../../contract/messages.ts';
import type { SelectionRecord } from '../../contract/selection-record.ts';
import { formatTableName } from '../../domain/table-name.ts';
import { control, data } from './activity-options.ts';
import type { WorkflowProgress } from './progress.ts';

/** Takes single tables and keys back. The tables first: they are refused before anything is changed, or go back in one transaction. Safe to repeat. */
export async function undoSelection(
  progress: WorkflowProgress,
  restoreId: string,
  { tables, keys, left }: SelectionRecord,
): Promise<UndoRestoreResult> {
  progress.enter('switching', `bringing back what ${restoreId} replaced`);
  const back = (tables?.kept ?? []).map(formatTableName);
  if (tables !== null) {
    await control('settle', `bring ${back.join(', ')} back`).undoTables({ tables, dryRun: false });
  }
  const reverted = keys && (await data('bring the keys back as they were').revertKeys(keys));
  progress.enter('done', `${restoreId} is undone`);
  return {
    restoreId,
    restored: {
      postgres: null,
      redis: null,
      selection: {
        tables: tables && { database: tables.database, back },
        keys: keys && { patterns: keys.patterns, keys: reverted?.keys ?? 0, from: keys.savedAs },
        left,
      },
    },
    checks: [],
  };
}
