import { quoteIdentifier } from '../connection/quoting.ts';

/** One artifact of a dump and how pg_dump makes it. */
export interface Piece {
  /** Artifact name: `schema`, `data`, `data-0001`. */
  readonly name: string;
  readonly args: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  /** Said in progress. */
  readonly object: string;
}

export interface BigTable {
  readonly schema: string;
  readonly table: string;
  /** Quoted where needed; for people. */
  readonly name: string;
  /** Sequences that belong to its columns, `[schema, name]`. */
  readonly sequences: readonly (readonly [string, string])[];
}

/**
 * Plans the pieces: the definitions, the data of all but the big tables, each big table's data. Together they hold every
 * object exactly once: a sequence's value comes with `data`, never a second time with the table that owns it.
 */
export function planPieces(bigTables: readonly BigTable[]): Piece[] {
  const excluded = bigTables.map((table) => `--exclude-table-data=${tablePattern(table.schema, table.table)}`);
  return [
    {
      name: 'schema',
      // All names quoted: a name that a newer server reserves must load there as well.
      args: ['--section=pre-data', '--section=post-data', '--quote-all-identifiers'],
      attributes: {},
      object: 'definitions',
    },
    { name: 'data', args: ['--section=data', ...excluded], attributes: {}, object: 'tables' },
    ...bigTables.map((table, index) => ({
      name: `data-${String(index + 1).padStart(4, '0')}`,
      args: [
        '--section=data',
        `--table=${tablePattern(table.schema, table.table)}`,
        ...table.sequences.map(([schema, name]) => `--exclude-table-data=${tablePattern(schema, name)}`),
      ],
      attributes: { table: table.name },
      object: table.name,
    })),
  ];
}

/** A pattern of pg_dump that means exactly this table: inside quotes nothing is a wildcard. */
export function tablePattern(schema: string, table: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}
