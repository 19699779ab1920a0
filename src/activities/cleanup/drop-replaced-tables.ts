import type { ReplacedTablesMessage } from '../../contract/cleanup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { Dependencies } from '../dependencies.ts';
import { postgresTarget } from '../sources.ts';

/** More only lengthens the answer. */
const STAYING_TOLD = 100;

/** Gives those that stay, and why: a table that is in use, or a server that refuses, holds up nothing else. A later cleanup tries again. */
export async function dropReplacedTables(
  deps: Pick<Dependencies, 'settings' | 'postgres'>,
  tables: readonly ReplacedTablesMessage[],
  { signal, onProgress }: Operation,
): Promise<string[]> {
  const postgres = await deps.postgres();
  const staying: string[] = [];
  for (const one of tables) {
    signal.throwIfAborted();
    onProgress({ phase: 'removing', object: one.keptSchema, bytes: 0 });
    const target = { ...postgresTarget(deps.settings), database: one.database };
    const inTheWay = await postgres.tables.dropKept(target, one).then((dropped) => dropped.inTheWay, asReason);
    if (inTheWay.length > 0) staying.push(`${one.keptSchema} in ${one.database} stays: ${inTheWay.join('; ')}`);
  }
  return staying.slice(0, STAYING_TOLD);
}

function asReason(error: unknown): readonly string[] {
  if (error instanceof LifeboatError) return [error.message];
  throw error;
}
