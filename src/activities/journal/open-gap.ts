import type { JournalKind } from '../../domain/journal.ts';
import type { Operation } from '../../domain/operation.ts';
import { recoveryWindow } from '../../domain/recovery-window.ts';
import { readRecoveryCatalog } from '../../recovery/read-catalog.ts';
import type { Dependencies } from '../dependencies.ts';

/** Why what a journal holds now stands on nothing. */
export interface OpenGap {
  readonly code: string;
  readonly message: string;
}

/**
 * The hole behind which a journal runs again with no base on it yet: nothing that it has recorded since can be restored until a full
 * backup is taken. Null where all that is durable can be restored.
 */
export async function openGap(deps: Dependencies, kind: JournalKind, operation: Operation): Promise<OpenGap | null> {
  const { gaps } = recoveryWindow(await readRecoveryCatalog(await deps.repository(), [kind], operation));
  const open = gaps.find(({ component, toMs }) => component === kind && toMs === null);
  return open === undefined ? null : { code: open.code, message: open.message };
}
