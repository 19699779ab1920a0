import type { RestoreSelectionResult } from '../../contract/selection.ts';
import type { SelectionOptions } from '../../client/start-selection.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { formatTableName, parseTableName } from '../../domain/table-name.ts';
import type { CommandContext, CommandResult } from '../command.ts';
import { describeChecks } from './describe-backup.ts';
import { describePlan, unproved } from './describe-restored.ts';
import { runOperation } from './run-operation.ts';

/** Options of `restore` that concern single tables and keys, and those that go with them or do not. */
export interface SelectionFlags {
  readonly table: readonly string[];
  readonly keys: readonly string[];
  readonly intoSchema: string | undefined;
  readonly merge: boolean;
  readonly postgres: boolean;
  readonly redis: boolean;
  readonly dropExisting: boolean;
  readonly stopServices: boolean;
  readonly targetDatabase: string | undefined;
  readonly targetDir: string | undefined;
  readonly targetRedis: string | undefined;
  readonly dryRun: boolean;
  readonly toTime: Date | undefined;
  readonly toLsn: string | undefined;
  readonly fromTarget: string | undefined;
}

/** `public.users`, `public."User Data"`. */
export const parseTable = (text: string): string => formatTableName(parseTableName(text));

/** What is asked for of single tables and keys; undefined for a restore of all. @throws LifeboatError USAGE_INVALID */
export function chosenSelection(flags: SelectionFlags): SelectionOptions | undefined {
  const { table: tables, keys, intoSchema, merge, dropExisting, dryRun, toTime, toLsn, fromTarget } = flags;
  refuseContradictions(flags);
  if (tables.length === 0 && keys.length === 0) return undefined;
  return {
    tables,
    keys,
    merge,
    dryRun,
    inPlace: dropExisting,
    ...(intoSchema === undefined ? {} : { intoSchema }),
    ...(toTime === undefined ? {} : { toTime }),
    ...(toLsn === undefined ? {} : { toLsn }),
    ...(fromTarget === undefined ? {} : { fromTarget }),
  };
}

type Refusal = readonly [applies: boolean, message: string];

/** Pairs that cannot both be meant: the first line that applies is told. */
function refuseContradictions(flags: SelectionFlags): void {
  const tables = flags.table.length > 0;
  const keys = flags.keys.length > 0;
  const lines = [...amongSelections(flags, { tables, keys }), ...(tables || keys ? besideSelections(flags) : [])];
  const [, message] = lines.find(([applies]) => applies) ?? [];
  if (message !== undefined) throw new LifeboatError('USAGE_INVALID', message);
}

function amongSelections(flags: SelectionFlags, { tables, keys }: Record<'tables' | 'keys', boolean>): Refusal[] {
  return [
    [flags.intoSchema !== undefined && !tables, '--into-schema goes with --table'],
    [flags.merge && !keys, '--merge goes with --keys'],
    [tables && flags.redis, '--table and --redis: tables are in PostgreSQL'],
    [keys && flags.postgres, '--keys and --postgres: keys are in Redis'],
    [flags.dropExisting && keys && !tables, '--drop-existing and --keys: present keys are replaced with --merge'],
    [flags.keys.some((pattern) => pattern === ''), '--keys "": an empty pattern'],
  ];
}

/** Options of a restore of all, which say nothing of single tables and keys. */
function besideSelections(flags: SelectionFlags): Refusal[] {
  const { stopServices, targetDatabase, targetDir, targetRedis, dropExisting, intoSchema } = flags;
  return [
    [stopServices, '--stop-services: single tables and keys come back beside running services'],
    [targetDatabase !== undefined, '--target-database: single tables come back into the live database'],
    [targetDir !== undefined, '--target-dir: a directory takes whole databases'],
    [targetRedis !== undefined, '--target-redis: single keys come back into the configured Redis'],
    [dropExisting && intoSchema !== undefined, '--drop-existing and --into-schema: in place, or beside'],
  ];
}

/** Starts it and waits, as every operation. */
export function restoreSelection(
  context: CommandContext,
  id: string,
  selection: SelectionOptions,
  detach: boolean,
): Promise<CommandResult> {
  return runOperation(context, {
    detach,
    start: (manager) => manager.startSelection(id, selection),
    answer: (result) => describeSelection(context, result),
  });
}

/** The answer of a restore of tables and keys. */
function describeSelection({ output }: CommandContext, result: RestoreSelectionResult): CommandResult {
  const { plan, restored, dryRun, checks, rtoMs, goBack, undo = null } = result;
  const { from = null, notice } = plan;
  if (notice != null) output.warn(notice);
  const json = { ...result, undo, from };
  if (dryRun) return { json, text: () => describePlan(plan) };
  const failed = checks.filter(({ status }) => status === 'fail');
  const { postgres, redis } = restored;
  return {
    json,
    ...(failed.length === 0 ? {} : { failure: unproved(failed, UNPROVED_HINT) }),
    text: () =>
      [
        `of ${plan.backupId}, as of ${result.recoveryPoint.time}:`,
        ...(postgres ? describeTables(postgres) : []),
        ...(redis
          ? [
              `  redis     ${redis.restored} keys restored, ${redis.replaced} of them replaced, ${redis.untouched} others untouched`,
              ...(redis.savedAs === null ? [] : [`            as they were before: ${redis.savedAs}`]),
            ]
          : []),
        ...describeChecks(checks, output.colors),
        `  back in ${(rtoMs / 1_000).toFixed(1)} s`,
        ...(undo ? [`  undo until ${undo.expiresAt}: ${undo.command}`] : []),
        ...goBack.map((step) => `  to go back: ${step}`),
      ].join('\n'),
  };
}

function describeTables({
  database,
  tables,
  tablesTotal,
  rows,
  replaced,
}: NonNullable<RestoreSelectionResult['restored']['postgres']>): string[] {
  return [
    `  postgres  ${rows} rows in ${tablesTotal} tables of ${database}`,
    ...tables.slice(0, SHOWN_TABLES).map((table) => `            ${table.table} → ${table.as}, ${table.rows} rows`),
    ...(replaced.length === 0 ? [] : [`            replaced, and kept: ${replaced.join(', ')}`]),
  ];
}

/** A screen of them; JSON has more. */
const SHOWN_TABLES = 20;

const UNPROVED_HINT = 'did clients write to these keys meanwhile? the answer says how to go back';
