import type { CleanupPlan, CleanupResult } from '../../contract/cleanup.ts';
import type { RetentionDecision } from '../../domain/retention/retention-rules.ts';
import type { WindowView } from '../../domain/window-view.ts';
import { formatBytes } from '../units.ts';

/** The answer of `backup cleanup` as JSON. */
export function cleanupJson({ dryRun, plan, locked = [], staying = [] }: CleanupResult): Record<string, unknown> {
  const { hide, purge, kept, waiting, abandoned, leftovers, replaced, ...rest } = plan;
  const { freedBytes, freedLaterBytes, windowBefore, windowAfter, warnings, omitted } = rest;
  const removed = hide.backups.map(({ id, reasons }) => ({ id, reasons }));
  return {
    dryRun,
    removed,
    kept: kept.map(({ id, reasons }) => ({ id, reasons })),
    freedBytes,
    freedLaterBytes,
    windowBefore,
    windowAfter,
    purged: purge.backupIds,
    waiting,
    locked,
    journals: { removed: hide.epochs, purged: purge.epochs },
    unreferenced: { abandoned, leftovers },
    databases: replaced.map(({ database }) => database),
    tables: (plan.replacedTables ?? []).map(({ database, keptSchema }) => ({ database, schema: keptSchema })),
    omitted,
    warnings: [...warnings, ...staying],
  };
}

/** The same for people: what goes and why, what stays and why, and how the window shrinks. */
export function describeCleanup({ dryRun, plan, locked = [], staying = [] }: CleanupResult): string {
  const { hide, purge, kept, waiting, abandoned, leftovers, replaced, freedBytes, freedLaterBytes } = plan;
  const verb = dryRun ? 'would be' : 'is';
  return [
    ...hide.backups.map((decision) => describeDecision('removed', decision)),
    ...kept.map((decision) => describeDecision('kept   ', decision)),
    ...(plan.omitted > 0 ? [`… and ${plan.omitted} more`] : []),
    ...counted(hide.epochs.length, `part of a journal that no backup needs ${verb} removed`),
    ...counted(purge.backupIds.length + purge.epochs.length, `earlier removal ${verb} completed: its objects go`),
    ...counted(waiting.length, `earlier removal waits; its objects go from ${waiting[0]?.dueAt} on`),
    ...counted(abandoned.length, `backup that was never finished ${verb} removed`),
    ...counted(leftovers, `object of a lost attempt ${verb} removed`),
    ...locked.map(({ what, until }) => describeLocked(what, until)),
    ...replaced.map(({ database }) => `${database} ${verb} dropped: its restore can no longer be undone`),
    ...(plan.replacedTables ?? []).map(
      ({ database, keptSchema }) => `${keptSchema} in ${database} ${verb} dropped: its restore can no longer be undone`,
    ),
    ...staying,
    `${formatBytes(freedBytes)} ${dryRun ? 'would be freed' : 'freed'} now, ${laterOf(plan, freedLaterBytes)}`,
    `window before  ${describeSpan(plan.windowBefore)}`,
    `window after   ${describeSpan(plan.windowAfter)}`,
  ].join('\n');
}

function describeLocked(what: string, until: string | null): string {
  return `${what} stays: the store keeps it ${until === null ? 'under a legal hold' : `until ${until}`}; a later cleanup removes it`;
}

function describeDecision(word: string, { id, reasons }: RetentionDecision): string {
  return `${word}  ${id}  ${reasons.map(({ message }) => message).join('; ')}`;
}

/** `3 × part of a journal …`; nothing for none. */
function counted(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} × ${what}`];
}

function laterOf({ graceMs }: CleanupPlan, bytes: number): string {
  const hours = (graceMs / 3_600_000).toFixed(1).replace('.0', '');
  return `${formatBytes(bytes)} by a cleanup ${hours} h from now (retention.grace)`;
}

function describeSpan({ from, to, spans, gaps }: WindowView): string {
  if (from === null || to === null) return 'only backups as they are';
  const parts = spans.length === 1 && gaps.length === 0 ? '' : `, in ${spans.length} parts`;
  return `${from} to ${to}${parts}`;
}
