import type { BackupRecord } from './backup.ts';
import { redisLayersOf } from './redis-chain.ts';

/** Backups by their ids. */
export type Lineage = ReadonlyMap<string, Related>;

type Related = Pick<BackupRecord, 'id' | 'status' | 'parentId' | 'components'>;

export function byId(backups: readonly Related[]): Lineage {
  return new Map(backups.map((backup) => [backup.id, backup]));
}

/** All whose bases make one data directory, oldest first; or the first of them that cannot be used, and why. */
export type BaseChain = { readonly ids: readonly string[] } | { readonly missing: string; readonly message: string };

/**
 * The chain of a backup's physical base: itself alone for a full base. Each must begin where the next one says, on one timeline of
 * one cluster: pg_combinebackup takes whatever it is given in the right order.
 */
export function baseChain(backup: Pick<BackupRecord, 'id' | 'components'>, lineage: Lineage): BaseChain {
  const { id } = backup;
  const base = backup.components.postgres?.base;
  if (base === undefined) return { missing: id, message: `${id} has no physical base` };
  if (base.parentStartLsn === null) return { ids: [id] };
  const under = base.chain ?? [];
  if (under.length === 0 || new Set([...under, id]).size <= under.length) {
    return { missing: id, message: `${id} does not say what it stands on` };
  }
  let parentStartLsn: string | null = null;
  for (const member of under) {
    const found = memberOf({ member, parentStartLsn, base }, lineage);
    if ('unfit' in found) return { missing: member, message: `${id} stands on ${member}, ${found.unfit}` };
    parentStartLsn = found.startLsn;
  }
  if (parentStartLsn === base.parentStartLsn) return { ids: [...under, id] };
  return { missing: id, message: `${id} stands on another base than that of ${under.at(-1)}` };
}

type Base = NonNullable<NonNullable<BackupRecord['components']['postgres']>['base']>;

/** The base of one that is stood on, or why it is none that could be. */
function memberOf(
  asked: { readonly member: string; readonly parentStartLsn: string | null; readonly base: Base },
  lineage: Lineage,
): Base | { readonly unfit: string } {
  const backup = lineage.get(asked.member);
  if (backup === undefined) return { unfit: 'which is not there' };
  if (backup.status !== 'complete') return { unfit: 'which is damaged' };
  const own = backup.components.postgres?.base;
  if (own === undefined) return { unfit: 'which has no physical base' };
  if (own.systemIdentifier !== asked.base.systemIdentifier || own.timeline !== asked.base.timeline) {
    return { unfit: 'which is of another cluster or timeline' };
  }
  return own.parentStartLsn === asked.parentStartLsn ? own : { unfit: 'which does not go on from the one before it' };
}

/** What a restore of a backup needs. */
export interface Needed {
  /** What must be there before it, oldest first, and the backup itself, the last. Each once. */
  readonly ids: readonly string[];
  /** Those of `ids` that are not there or cannot be trusted. */
  readonly missing: readonly string[];
}

/**
 * Every backup that one backup stands on: the full backup whose snapshot and base its journals go on from, the bases under its own, and the
 * copies of Redis that it takes values from.
 * Ends on any input: what a manifest names is looked up and not followed in a circle.
 */
export function neededBy(id: string, lineage: Lineage): Needed {
  const found = new Set<string>();
  const walk = (one: string): void => {
    if (found.has(one)) return;
    found.add(one);
    const backup = lineage.get(one);
    const { parentId = null, components } = backup ?? { components: {} };
    const bases = components.postgres?.base?.chain ?? [];
    for (const under of [...(parentId === null ? [] : [parentId]), ...bases, ...redisLayersOf(components.redis)])
      walk(under);
  };
  walk(id);
  // Ids sort by time, and nothing stands on what is younger; the backup itself comes last whatever its manifest says.
  const ids = [...[...found].filter((one) => one !== id).toSorted(), id];
  return { ids, missing: ids.filter((one) => lineage.get(one)?.status !== 'complete') };
}

/** Backups with an incremental base of which something is missing: it is as if they had none. Oldest first. */
export function brokenChains(
  backups: readonly BackupRecord[],
): { readonly backupId: string; readonly endLsn: string; readonly endMs: number; readonly message: string }[] {
  const lineage = byId(backups);
  const broken = backups.flatMap((backup) => {
    const base = backup.status === 'complete' ? backup.components.postgres?.base : undefined;
    const chain = base && baseChain(backup, lineage);
    if (base === undefined || chain === undefined || 'ids' in chain) return [];
    return [{ backupId: backup.id, endLsn: base.endLsn, endMs: Date.parse(base.endAt), message: chain.message }];
  });
  return broken.toSorted((a, b) => a.endMs - b.endMs);
}
