import type { Operation } from '../../domain/operation.ts';
import { type UnpackedPostgres, unpackPostgres as unpackFrom } from '../../recovery/replay/unpack-postgres.ts';
import type { Dependencies } from '../dependencies.ts';
import { replaySources } from './replay-sources.ts';

/** Unpacks a base and the WAL that follows it, from a worker's repository and with its programs. */
export async function unpackPostgres(
  deps: Dependencies,
  request: Parameters<typeof unpackFrom>[1],
  operation: Operation,
): Promise<UnpackedPostgres> {
  return unpackFrom(replaySources(deps), request, operation);
}
