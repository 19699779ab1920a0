import type { SelectionPlan } from './selection-plan.ts';
import { formatTableName, type TableName } from './table-name.ts';
import { waysBack } from './ways-back.ts';

/** A table with its identity in the server: a name alone may be that of another one by then. */
export interface IdentifiedTable extends TableName {
  readonly oid: string;
}

/** Replaced tables, and those that took their places. */
export interface ReplacedTables {
  readonly database: string;
  /** Schema that the replaced ones are kept in. */
  readonly keptSchema: string;
  /** The replaced ones; `schema` is the one that they came from. */
  readonly kept: readonly IdentifiedTable[];
  /** What the restore has put in place, where no table was before too. */
  readonly placed: readonly IdentifiedTable[];
}

/** What an undo leaves as it is, a statement each: tables beside the live ones, or where none was before, replaced nothing. */
export function leftByUndo({ tables }: SelectionPlan, kept: readonly TableName[]): string[] {
  if (tables === null || kept.length > 0) return [];
  return waysBack({ tables, keys: null }, { replaced: [], savedAs: null });
}

/** What an undo would do, the steps in order as sentences. */
export function describeUndo(record: {
  readonly services: readonly string[];
  readonly postgres: { readonly database: string; readonly replaced: string | null } | null;
  readonly redis: { readonly savedAs: string | null } | null;
  readonly selection?: {
    readonly tables: ReplacedTables | null;
    readonly keys: { readonly patterns: readonly string[]; readonly savedAs: string | null } | null;
    readonly left: readonly string[];
  };
}): string[] {
  const { services, postgres, redis, selection } = record;
  const stopped = services.join(', ');
  const steps: (string | false | null | undefined)[] = [
    services.length > 0 && `stop ${stopped}`,
    redis !== null && (redis.savedAs === null ? EMPTY : `load ${redis.savedAs} into Redis, in place of what is there`),
    postgres?.replaced != null && `drop ${postgres.database}, and rename ${postgres.replaced} to its name`,
    services.length > 0 && `start ${stopped}`,
    ...(selection?.tables ? tableSteps(selection.tables) : []),
    selection?.keys && keyStep(selection.keys),
    ...(selection?.left ?? []).map((step) => `nothing for what replaced nothing; by hand: ${step}`),
  ];
  return steps.filter((step) => typeof step === 'string');
}

const EMPTY = 'empty Redis again, if it holds nothing but what was restored';

const names = (tables: readonly TableName[]): string => tables.map(formatTableName).join(', ');

function tableSteps({ kept, placed, keptSchema }: ReplacedTables): string[] {
  return [
    `drop the restored ${names(placed)}, with what was written to them since`,
    `move ${names(kept)} back out of schema ${keptSchema}, in the same transaction`,
  ];
}

function keyStep({
  patterns,
  savedAs,
}: {
  readonly patterns: readonly string[];
  readonly savedAs: string | null;
}): string {
  const gone = `remove the restored keys that match ${patterns.join(', ')}`;
  return savedAs === null ? gone : `${gone}, and bring those of them back that ${savedAs} holds`;
}
