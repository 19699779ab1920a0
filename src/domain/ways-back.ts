import type { SelectionPlan } from './selection-plan.ts';
import { formatTableName, type TableName } from './table-name.ts';

/** How a restore of tables and keys can be taken back: SQL and command lines, a step each. */
export function waysBack(
  { tables, keys }: Pick<SelectionPlan, 'tables' | 'keys'>,
  done: { readonly replaced: readonly TableName[]; readonly savedAs: string | null },
): string[] {
  return [...(tables ? tablesBack(tables, done.replaced) : []), ...(keys ? keysBack(keys, done.savedAs) : [])];
}

function tablesBack(
  { intoSchema, createsSchema, names, keptSchema }: NonNullable<SelectionPlan['tables']>,
  replaced: readonly TableName[],
): string[] {
  if (intoSchema !== null && createsSchema) return [`DROP SCHEMA ${quoted(intoSchema)} CASCADE`];
  if (intoSchema !== null) return names.map((name) => `DROP TABLE ${quoted(intoSchema)}.${tableOf(name)}`);
  if (replaced.length === 0) return names.map((name) => `DROP TABLE ${name}`);
  const kept = quoted(keptSchema);
  return [
    `the replaced tables are in schema ${kept}: DROP SCHEMA ${kept} CASCADE when they are not needed any more`,
    `to swap one back: ALTER TABLE ${names[0]} SET SCHEMA another; ALTER TABLE ${kept}.${tableOf(names[0] ?? '')} SET SCHEMA ${schemaOf(names[0] ?? '')}`,
  ];
}

function keysBack({ patterns }: NonNullable<SelectionPlan['keys']>, savedAs: string | null): string[] {
  if (savedAs === null) return ['the keys that were written were not there before: delete them'];
  const globs = patterns.map((pattern) => `--keys '${pattern}'`).join(' ');
  return [`lifeboat restore ${savedAs} ${globs} --merge`];
}

const quoted = (schema: string): string => formatTableName({ schema, table: 'x' }).replace(/\.x$/, '');

/** Both halves of a name that `formatTableName` made. */
const HALVES = /^("(?:[^"]|"")+"|[^".]+)\.(.+)$/;
const schemaOf = (name: string): string => HALVES.exec(name)?.[1] ?? '';
const tableOf = (name: string): string => HALVES.exec(name)?.[2] ?? name;
