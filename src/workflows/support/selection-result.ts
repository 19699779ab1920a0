import type { DataActivities } from '../../contract/activities.ts';
import type { RestoreRecord, RestoreUndo } from '../../contract/messages.ts';
import type { RestoreSelectionResult } from '../../contract/selection.ts';
import { achieved } from '../../domain/objectives.ts';
import type { SelectionPlan } from '../../domain/selection-plan.ts';
import { formatTableName, type TableName } from '../../domain/table-name.ts';
import { waysBack } from '../../domain/ways-back.ts';

export interface SelectionOutcome {
  readonly plan: SelectionPlan;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  /** Absent in a dry run. */
  readonly done?: {
    readonly loaded: Awaited<ReturnType<DataActivities['loadTables']>> | null;
    readonly surveyed: Awaited<ReturnType<DataActivities['surveyKeys']>> | null;
    readonly savedAs: string | null;
    readonly written: Awaited<ReturnType<DataActivities['loadKeys']>> | null;
    readonly replacedTables: readonly TableName[];
    /** Null where nothing was recorded. */
    readonly record: RestoreRecord | null;
  };
}

/** Results travel through histories: of more tables than this only the number is told. */
const LISTED_TABLES = 200;

/** The answer of a restore of tables and keys, from what was planned and what was done. */
export function selectionResult({ plan, startedAt, finishedAt, done }: SelectionOutcome): RestoreSelectionResult {
  const { restoreId, recoveryPoint } = plan;
  const times = achieved({ startedAt, finishedAt, recoveryPoint: recoveryPoint.time });
  const common = { restoreId, plan, recoveryPoint, ...times };
  if (done === undefined) {
    const restored = { postgres: null, redis: null };
    return { ...common, dryRun: true, restored, positions: null, checks: [], goBack: [] };
  }
  const { loaded, surveyed, written } = done;
  const postgres = tablesOf(plan, done);
  const redis = keysOf(done);
  const checks = [...(loaded?.checks ?? []), ...(surveyed ? [surveyed.check] : []), ...(written?.checks ?? [])];
  return {
    ...common,
    dryRun: false,
    restored: { postgres, redis },
    positions: positionsOf(done),
    checks,
    undo: undoOf(done.record),
    goBack: waysBack(plan, {
      replaced: done.replacedTables,
      savedAs: done.savedAs,
    }),
  };
}

type Done = NonNullable<SelectionOutcome['done']>;

function undoOf(record: RestoreRecord | null): RestoreUndo | null {
  const { tables, keys } = record?.selection ?? { tables: null, keys: null };
  if (record === null || (tables === null && keys === null)) return null;
  return { command: `lifeboat restore undo ${record.restoreId}`, expiresAt: record.expiresAt };
}

function tablesOf(
  { tables: planned }: SelectionPlan,
  { loaded, replacedTables }: Done,
): RestoreSelectionResult['restored']['postgres'] {
  if (planned === null || loaded === null) return null;
  const { database, intoSchema } = planned;
  const tables = loaded.tables.slice(0, LISTED_TABLES).map(({ schema, table, rows }) => ({
    table: formatTableName({ schema, table }),
    as: formatTableName({ schema: intoSchema ?? schema, table }),
    rows,
  }));
  return {
    database,
    schema: intoSchema,
    tables,
    tablesTotal: loaded.tables.length,
    rows: loaded.tables.reduce((sum, { rows }) => sum + rows, 0),
    replaced: replacedTables.slice(0, LISTED_TABLES).map(formatTableName),
  };
}

function keysOf({ surveyed, written, savedAs }: Done): RestoreSelectionResult['restored']['redis'] {
  if (surveyed === null || written === null) return null;
  const { replaced, present } = surveyed;
  return { restored: written.keys, replaced, untouched: present - replaced, savedAs };
}

function positionsOf({ loaded, surveyed }: Done): RestoreSelectionResult['positions'] {
  const cut = surveyed?.cut;
  const postgres = loaded?.position ?? null;
  const redis = cut ? { position: String(cut.offset), timeline: 0, at: new Date(cut.timeMs).toISOString() } : null;
  return postgres === null && redis === null ? null : { postgres, redis };
}
