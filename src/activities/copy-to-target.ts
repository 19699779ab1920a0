import type { CopyActivities } from '../contract/replication.ts';
import type { BackupRecord } from '../domain/backup.ts';
import { LifeboatError } from '../domain/errors.ts';
import { nearestName } from '../domain/nearest-name.ts';
import type { CopyTarget, Dependencies } from './dependencies.ts';
import { requireNotLost } from './lost-repository.ts';
import { oneCopyAtATime } from './one-copy-at-a-time.ts';
import { withOperation } from './operation.ts';

/** Of one answer: it stays far below Temporal's limit on a payload. */
const MAX_BACKUPS = 1_000;
const MAX_PROBLEMS = 1_000;

export function createCopyActivities(deps: Dependencies): Pick<CopyActivities, 'copyToTarget'> {
  return {
    copyToTarget: ({ target, backup, verify, wait }) =>
      withOperation(deps.settings, async (operation) => {
        const to = targetNamed(deps, target);
        // A repository begun anew would only be refused by the targets, and keep the old one from being put back.
        await requireNotLost(deps);
        const repository = await deps.repository();
        const check = verify ? 'digest' : 'size';
        const copied = await oneCopyAtATime({ target: to, repository, wait }, operation, (turn) =>
          repository.replicate(turn.fence(to.store()), { backup, check }, turn.operation),
        );
        const { backups, problems } = copied;
        return {
          ...copied,
          backups: backups.slice(0, MAX_BACKUPS),
          backupsTotal: backups.length,
          problems: problems.slice(0, MAX_PROBLEMS),
        };
      }),
  };
}

/** A published backup, with the targets that its workflow starts copies to. */
export function withTargets({ targets }: Pick<Dependencies, 'targets'>, backup: BackupRecord): BackupRecord {
  if (targets.length === 0) return backup;
  return { ...backup, copiesTo: targets.map(({ name, delayMs }) => ({ target: name, delayMs })) };
}

/** @throws LifeboatError TARGET_UNKNOWN */
export function targetNamed({ targets }: Pick<Dependencies, 'targets'>, name: string): CopyTarget {
  const found = targets.find((target) => target.name === name);
  if (found !== undefined) return found;
  const known = targets.map((target) => target.name);
  const near = nearestName(name, known);
  throw new LifeboatError('TARGET_UNKNOWN', `target ${name}: not configured`, {
    ...(near === undefined ? {} : { hint: `did you mean ${near}?` }),
    details: { known },
  });
}
