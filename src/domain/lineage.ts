import type { BackupRecord } from './backup.ts';

/** Backups by their ids. */
export type Lineage = ReadonlyMap<string, Pick<BackupRecord, 'id' | 'kind' | 'status' | 'parentId' | 'components'>>;

export function byId(backups: readonly BackupRecord[]): Lineage {
  return new Map(backups.map((backup) => [backup.id, backup]));
}

/** All whose bases make one data directory, oldest first; or the first of them that cannot be used, and why. */
export type BaseChain = { readonly ids: readonly string[] } | { readonly missing: string; readonly message: string };

/**
 * The chain of a backup's physical base: itself alone for a full base. Each must begin where the next one says, on one timeline of
 * one cluster: pg_combinebackup takes whatever it is given in the right order.
 */
export function baseChain({ id, components }: Pick<BackupRecord, 'id' | 'components'>, lineage: Lineage): BaseChain {
  const base = components.postgres?.base;
  if (base === undefined) return { missing: id, message: `${id} has no physical base` };
  if (base.parentStartLsn === null) return { ids: [id] };
  const ids = [...(base.chain ?? []), id];
  if (ids.length < 2 || new Set(ids).size < ids.length) {
    return { missing: id, message: `${id} does not say what it stands on` };
  }
  for (const [at, member] of ids.entries()) {
    const message = at === ids.length - 1 ? null : whyUnfit(ids, { at, lineage, base });
    if (message !== null) return { missing: member, message: `${id} stands on ${member}, ${message}` };
  }
  const parent = lineage.get(ids.at(-2) ?? '')?.components.postgres?.base;
  if (parent?.startLsn === base.parentStartLsn) return { ids };
  return { missing: ids.at(-2) ?? id, message: `${id} stands on another base than that of ${ids.at(-2)}` };
}

type Base = NonNullable<NonNullable<BackupRecord['components']['postgres']>['base']>;

function whyUnfit(
  ids: readonly string[],
  { at, lineage, base }: { readonly at: number; readonly lineage: Lineage; readonly base: Base },
): string | null {
  const baseOf = (index: number): Base | undefined => lineage.get(ids[index] ?? '')?.components.postgres?.base;
  const member = lineage.get(ids[at] ?? '');
  const own = baseOf(at);
  if (member === undefined) return 'which is not there';
  if (member.status !== 'complete') return 'which is damaged';
  if (own === undefined) return 'which has no physical base';
  if (own.systemIdentifier !== base.systemIdentifier || own.timeline !== base.timeline) {
    return 'which is of another cluster or timeline';
  }
  const expected = at === 0 ? null : (baseOf(at - 1)?.startLsn ?? null);
  return own.parentStartLsn === expected ? null : 'whose own base does not continue the one before it';
}

/** What a restore of a backup needs. */
export interface Needed {
  /** What must be there before it, oldest first, and the backup itself, the last. Each once. */
  readonly ids: readonly string[];
  /** Those of `ids` that are not there or cannot be trusted. */
  readonly missing: readonly string[];
}

/**
 * Every backup that one backup stands on: the full backup whose snapshot and base its journals go on from, and the bases under its own.
 * Ends on any input: what a manifest names is looked up and not followed in a circle.
 */
export function neededBy(id: string, lineage: Lineage): Needed {
  const found = new Set<string>();
  const walk = (one: string): void => {
    if (found.has(one)) return;
    found.add(one);
    const backup = lineage.get(one);
    const { parentId = null, components } = backup ?? { components: {} };
    for (const under of [...(parentId === null ? [] : [parentId]), ...(components.postgres?.base?.chain ?? [])])
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
