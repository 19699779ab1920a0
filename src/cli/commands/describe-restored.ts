import type { RestoreResult } from '../../contract/messages.ts';
import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';

/** What a dry run says. */
export function describePlan({
  backupId,
  steps,
}: {
  readonly backupId: string;
  readonly steps: readonly string[];
}): string {
  return [`restore of ${backupId} would:`, ...steps.map((step, index) => `  ${index + 1}. ${step}`)].join('\n');
}

/** Where a replay ended, a line for each component. */
export function describePositions({ positions }: Pick<RestoreResult, 'positions'>): string[] {
  if (!positions) return [];
  const { postgres, redis, distanceMs } = positions;
  return [
    ...(postgres ? [`  replayed  WAL to ${postgres.position}, last transaction ${postgres.at ?? 'of the base'}`] : []),
    ...(redis ? [`  replayed  Redis stream to ${redis.position}, received ${redis.at}`] : []),
    ...(distanceMs === null ? [] : [`  ${distanceMs} ms lie between the two`]),
  ];
}

/** The failure of a restore whose data is there and was not proven. */
export function unproved(failed: readonly Check[], hint?: string): LifeboatError {
  const names = failed.map(({ name }) => name);
  return new LifeboatError('RESTORE_UNPROVED', `${failed.length} checks failed: ${names.join(', ')}`, {
    details: { checks: names },
    ...(hint === undefined ? {} : { hint }),
  });
}
