import { LifeboatError } from '../../domain/errors.ts';
import { identifierAt, type TableName } from '../../domain/table-name.ts';
import { quoteIdentifier } from '../connection/quoting.ts';
import { createLineCutter, createRowDigest, type Line, type RowDigest } from './row-digest.ts';

/** Rows of one table as they passed. */
export interface CopiedRows {
  /** As in the statement: ` ("id", "name")`; empty where there is none. */
  readonly columns: string;
  readonly digest: RowDigest;
}

/** Where the rows of a table go; undefined for one that is left out. */
export type RowDestination = (table: TableName) => TableName | undefined;

const BEGIN = 'COPY ';
const END = ' FROM stdin;';
const LAST_ROW = Buffer.from('\\.');

/**
 * Takes from a script of pg_dump or pg_restore the rows alone: `COPY … FROM stdin` blocks of the tables that have a destination, under
 * its name. All else of it (settings, other tables) is left out. Counts and hashes every row; `copied` is by the name of the origin.
 * @throws LifeboatError POSTGRES_RESTORE_FAILED for a script that ends inside a block
 */
export async function* copyBlocks(
  script: AsyncIterable<Uint8Array>,
  destination: RowDestination,
  onBlock: (origin: TableName, rows: CopiedRows) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const cutter = createLineCutter();
  let block: { readonly taken: CopiedRows | undefined } | undefined;
  for await (const piece of script) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    const out: Buffer[] = [];
    let from = 0;
    cutter.push(chunk, (line, end) => {
      if (block === undefined) {
        const begun = beginBlock(line, destination);
        if (begun === undefined) return;
        block = { taken: begun.rows };
        if (begun.rows === undefined) return;
        onBlock(begun.origin, begun.rows);
        out.push(Buffer.from(begun.statement));
        from = end;
        return;
      }
      const { taken } = block;
      const last = line.head.equals(LAST_ROW);
      if (!last && taken !== undefined) line.addTo(taken.digest);
      if (!last) return;
      if (taken !== undefined) out.push(chunk.subarray(from, end));
      block = undefined;
    });
    if (block?.taken !== undefined && from < chunk.length) out.push(chunk.subarray(from));
    // What is given is not touched again by anybody: chunks belong to who gets them.
    yield* out;
  }
  if (block === undefined) return;
  throw new LifeboatError('POSTGRES_RESTORE_FAILED', 'read the rows of a dump: the script ends inside a table');
}

interface BegunBlock {
  readonly origin: TableName;
  /** Undefined for a table that is left out. */
  readonly rows: CopiedRows | undefined;
  readonly statement: string;
}

function beginBlock({ head }: Line, destination: RowDestination): BegunBlock | undefined {
  if (head.toString('latin1', 0, BEGIN.length) !== BEGIN) return undefined;
  const statement = head.toString('utf8');
  if (!statement.endsWith(END)) return undefined;
  const schema = identifierAt(statement, BEGIN.length);
  const table = schema && statement[schema[1]] === '.' ? identifierAt(statement, schema[1] + 1) : undefined;
  if (schema === undefined || table === undefined) {
    throw new LifeboatError('POSTGRES_RESTORE_FAILED', `read the rows of a dump: ${statement.slice(0, 200)}`);
  }
  const origin = { schema: schema[0], table: table[0] };
  const to = destination(origin);
  if (to === undefined) return { origin, rows: undefined, statement: '' };
  const columns = statement.slice(table[1], -END.length).trimEnd();
  const name = `${quoteIdentifier(to.schema)}.${quoteIdentifier(to.table)}`;
  const rows = { columns, digest: createRowDigest() };
  return { origin, rows, statement: `${BEGIN}${name}${columns}${END}\n` };
}
