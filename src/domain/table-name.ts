import { LifeboatError } from './errors.ts';
import { editDistance } from './nearest-name.ts';

/** A table as the catalogs name it: without quotes, case as it is stored. */
export interface TableName {
  readonly schema: string;
  readonly table: string;
}

const IDENTIFIER = /"((?:[^"\0]|"")+)"|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)/y;
/** Names that need no quotes, as long as they are no word of SQL. */
const PLAIN = /^[a-z_][a-z0-9_$]*$/;
const NEAREST_SHOWN = 3;

/**
 * Reads `schema.table` as SQL does: what is not quoted is folded to lower case, what is quoted stands as it is, a quote inside
 * is doubled (`public."User Data"`).
 * @throws LifeboatError USAGE_INVALID
 */
export function parseTableName(text: string): TableName {
  const [schema, behindSchema] = identifierAt(text, 0) ?? [];
  if (schema === undefined || behindSchema === undefined) throw unreadable(text);
  if (text[behindSchema] !== '.') throw unreadable(text);
  const [table, end] = identifierAt(text, behindSchema + 1) ?? [];
  if (table === undefined || end !== text.length) throw unreadable(text);
  return { schema, table };
}

/** The identifier that begins at `place`, and where it ends; undefined where none begins. */
export function identifierAt(text: string, place: number): readonly [name: string, end: number] | undefined {
  IDENTIFIER.lastIndex = place;
  const match = IDENTIFIER.exec(text);
  if (match === null) return undefined;
  const [whole, quoted, plain = ''] = match;
  const name = quoted?.replaceAll('""', '"') ?? plain.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  return [name, place + whole.length];
}

/** For people and for `parseTableName`: quoted where it has to be. */
export function formatTableName({ schema, table }: TableName): string {
  return [schema, table].map((name) => (PLAIN.test(name) ? name : `"${name.replaceAll('"', '""')}"`)).join('.');
}

export const sameTable = (one: TableName, other: TableName): boolean =>
  one.schema === other.schema && one.table === other.table;

/** Refuses the first table that is not among those that are there, naming the ones that are most like it. @throws RESTORE_TABLE_NOT_FOUND */
export function requireTables(wanted: readonly TableName[], there: readonly TableName[], where: string): void {
  for (const name of wanted) {
    if (there.some((other) => sameTable(name, other))) continue;
    const nearest = nearestTables(name, there);
    throw new LifeboatError('RESTORE_TABLE_NOT_FOUND', `${where} has no table ${formatTableName(name)}`, {
      details: { table: formatTableName(name), nearest },
      hint: nearest.length === 0 ? 'it has no table at all' : `most like it: ${nearest.join(', ')}`,
    });
  }
}

/** Refuses tables of one name from two schemas: on their way they stand in one. @throws LifeboatError USAGE_INVALID */
export function refuseSameNames(tables: readonly TableName[]): void {
  const seen = new Map<string, TableName>();
  for (const name of tables) {
    const other = seen.get(name.table);
    if (other !== undefined && other.schema !== name.schema) {
      const both = `${formatTableName(other)} and ${formatTableName(name)}`;
      throw new LifeboatError('USAGE_INVALID', `${both} have the same name, and pass through one schema`, {
        hint: 'restore them one after the other',
      });
    }
    seen.set(name.table, name);
  }
}

function nearestTables(name: TableName, there: readonly TableName[]): string[] {
  const distance = (other: TableName): number =>
    editDistance(name.table.toLowerCase(), other.table.toLowerCase()) + (name.schema === other.schema ? 0 : 1);
  return there
    .map((other) => ({ other, far: distance(other) }))
    .toSorted((one, two) => one.far - two.far)
    .slice(0, NEAREST_SHOWN)
    .map(({ other }) => formatTableName(other));
}

function unreadable(text: string): LifeboatError {
  return new LifeboatError('USAGE_INVALID', `read the table ${JSON.stringify(text)}: not of the form schema.table`, {
    hint: 'write public.users, or public."User Data" where letters are upper case or the name has spaces',
  });
}
