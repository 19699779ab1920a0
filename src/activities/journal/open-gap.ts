import type { JournalKind } from '../../domain/journal.ts';
import type { Operation } from '../../domain/operation.ts';
import { recoveryWindow } from '../../domain/recovery-window.ts';
import { basesFor } from '../../domain/resolve-target.ts';
import { readRecoveryCatalog } from '../../recovery/read-catalog.ts';
import type { Dependencies } from '../dependencies.ts';
import { newestOf } from './journal-start.ts';

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
  return lostInstant(deps, { kind, at: undefined }, operation);
}

/**
 * Why an instant that a journal holds by its position cannot be brought back: nothing stands behind it, or the journal began anew after
 * it, with a snapshot or base that is later. Null where it can be.
 */
export async function lostInstant(
  deps: Dependencies,
  { kind, at }: { readonly kind: JournalKind; readonly at: string | undefined },
  operation: Operation,
): Promise<OpenGap | null> {
  const catalog = await readRecoveryCatalog(await deps.repository(), [kind], operation);
  const window = recoveryWindow(catalog);
  const open = window.gaps.find(({ component, toMs }) => component === kind && toMs === null);
  if (open !== undefined) return { code: open.code, message: open.message };
  if (at === undefined) return null;
  const atMs = Date.parse(at);
  const last = newestOf(catalog[kind]);
  const isAnew = last !== undefined && last.begin.continues === null && last.begin.from.timeMs > atMs;
  const component = window[kind];
  if (!isAnew || (component !== null && basesFor(component, { atMs }).length > 0)) return null;
  const began = new Date(last.begin.from.timeMs).toISOString();
  const why = last.begin.gap?.message ?? 'there was no journal to go on from';
  return {
    code: 'JOURNAL_GAP',
    message: `the journal of ${kind} began anew at ${began}, behind the marked instant: ${why}`,
  };
}
