import { LifeboatError } from '../../domain/errors.ts';
import { brokenChains } from '../../domain/lineage.ts';
import { compareLsn } from '../../domain/lsn.ts';
import type { ReplayPlan } from '../../domain/replay.ts';
import type { RecoveryTarget } from '../../domain/resolve-target.ts';
import type { RecoveryCatalog } from '../read-catalog.ts';

/** Adds what is to be said about the base of a plan: newer ones that cannot be used, and the disk that combining takes. */
export function describeChain(catalog: RecoveryCatalog, plan: ReplayPlan, target: RecoveryTarget): ReplayPlan {
  const { postgres } = plan;
  if (postgres === null) return plan;
  const baseOf = (id: string) => allOf(catalog).find((backup) => backup.id === id)?.components.postgres?.base;
  const chosen = baseOf(postgres.baseId);
  const broken = brokenBefore(catalog, target).filter(
    ({ endLsn }) => chosen !== undefined && compareLsn(endLsn, chosen.endLsn) > 0,
  );
  const sizes = (postgres.chain ?? []).map((id) => baseOf(id)?.bytes ?? 0);
  // Each member, and what they are combined to: about as much as the full base.
  const scratchBytes = sizes.reduce((sum, bytes) => sum + bytes, sizes[0] ?? 0);
  return {
    ...plan,
    postgres: {
      ...postgres,
      ...(broken.length > 0 && { passedOver: broken.map(({ message }) => message) }),
      ...(sizes.length > 0 && { scratchBytes }),
    },
  };
}

/** @throws LifeboatError BACKUP_CHAIN_BROKEN where a target could be reached if something were there that is not */
export function requireWholeChains(catalog: RecoveryCatalog, target: RecoveryTarget, refusal: string): void {
  const last = brokenBefore(catalog, target).at(-1);
  if (last === undefined) return;
  throw new LifeboatError('BACKUP_CHAIN_BROKEN', `${last.message}; without it: ${refusal}`, {
    details: { backupId: last.backupId },
  });
}

const allOf = ({ backups, lineage = backups }: RecoveryCatalog): RecoveryCatalog['backups'] => lineage;

function brokenBefore(catalog: RecoveryCatalog, target: RecoveryTarget): ReturnType<typeof brokenChains> {
  return brokenChains(allOf(catalog)).filter(({ endLsn, endMs }) =>
    'lsn' in target ? compareLsn(endLsn, target.lsn) <= 0 : endMs <= target.atMs,
  );
}
