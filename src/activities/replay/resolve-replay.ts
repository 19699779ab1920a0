import type { Operation } from '../../domain/operation.ts';
import {
  type ReplayRequest,
  type ResolvedRestore,
  resolveReplay as resolveFrom,
} from '../../recovery/replay/resolve-replay.ts';
import type { Dependencies } from '../dependencies.ts';
import { replaySources } from './replay-sources.ts';

/** What a request means, as a worker's repository says it now. */
export async function resolveReplay(
  deps: Dependencies,
  request: ReplayRequest,
  operation: Operation,
): Promise<ResolvedRestore> {
  return resolveFrom(replaySources(deps), request, operation);
}
