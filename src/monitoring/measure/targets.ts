import { TARGET_STATES, type TargetFacts } from '../../domain/target-facts.ts';
import { known, oneOf, type Reading } from '../sample.ts';

/** How far the copies are, target by target; what could not be told is left out. */
export function measureTargets(targets: readonly TargetFacts[]): Reading[] {
  return targets.flatMap((facts) => {
    const labels = { target: facts.name };
    const { journals = null, storedBytes = null } = facts;
    return [
      ...oneOf('lifeboat_target_state', { label: 'state', names: TARGET_STATES, is: facts.state, labels }),
      ...known('lifeboat_target_pending_backups', facts.pending, labels),
      ...known('lifeboat_target_lag_seconds', facts.lagSeconds, labels),
      ...known('lifeboat_target_journal_lag_seconds', journals && journals.lagSeconds, labels),
      ...known('lifeboat_target_journal_bytes_behind', journals && journals.bytesBehind, labels),
      ...Object.entries(storedBytes ?? {}).flatMap(([holds, bytes]) =>
        known('lifeboat_target_used_bytes', bytes, { ...labels, holds }),
      ),
    ];
  });
}
