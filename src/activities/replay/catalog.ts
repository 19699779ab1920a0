import type { ComponentName } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import { type RecoveryCatalog, readRecoveryCatalog as readFrom } from '../../recovery/read-catalog.ts';
import type { Dependencies } from '../dependencies.ts';

/** What a window is made from. */
export type Catalog = RecoveryCatalog;

/** Everything that a recovery can stand on, as the repository says it now. */
export async function readRecoveryCatalog(
  deps: Dependencies,
  components: readonly ComponentName[],
  operation: Operation,
): Promise<Catalog> {
  return readFrom(await deps.repository(), components, operation);
}
