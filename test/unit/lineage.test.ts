import fc from 'fast-check';
import type { BackupRecord, BaseBackupFacts } from '../../src/domain/backup.ts';
import { baseChain, brokenChains, byId, neededBy } from '../../src/domain/lineage.ts';
import { findNativeParent, nativeObstacle, type NativeFacts } from '../../src/domain/native-incremental.ts';

const SYSTEM = '7300000000000000001';
const AT = Date.UTC(2026, 0, 15, 10);
const idOf = (n: number): string => `backup-2026-01-15T10-00-${String(n).padStart(2, '0')}-000Z`;
const lsnOf = (n: number): string => `0/${(0x1000000 * (n + 1)).toString(16).toUpperCase()}`;

interface Made {
  /** Index of the backup whose base it is taken on; undefined for a full base, null for no base at all. */
  readonly on?: number | null;
}

/** Backups as Lifeboat takes them: an incremental one stands on the newest full one, its base on that or on one above it. */
function history(made: readonly Made[]): BackupRecord[] {
  const records: BackupRecord[] = [];
  let full = 0;
  for (const [n, { on }] of made.entries()) {
    const isFull = on === undefined || n === 0;
    if (isFull) full = n;
    const under = records.filter((record, at) => at >= full && record.components.postgres?.base !== undefined);
    const parent = typeof on === 'number' && !isFull ? under[on % under.length] : undefined;
    const base = isFull || parent !== undefined ? { base: baseOf(n, parent) } : {};
    records.push(recordOf(n, { kind: isFull ? 'full' : 'incremental', parentId: isFull ? null : idOf(full), base }));
  }
  return records;
}

function baseOf(n: number, parent: BackupRecord | undefined, more: Partial<BaseBackupFacts> = {}): BaseBackupFacts {
  const under = parent?.components.postgres?.base;
  return {
    systemIdentifier: SYSTEM,
    timeline: 1,
    startLsn: lsnOf(n),
    endLsn: lsnOf(n),
    startAt: new Date(AT + n * 1_000).toISOString(),
    endAt: new Date(AT + n * 1_000).toISOString(),
    walSegmentBytes: 1 << 24,
    fromStandby: false,
    parentStartLsn: under?.startLsn ?? null,
    ...(parent && { chain: [...(under?.chain ?? []), parent.id] }),
    dataChecksums: true,
    bytes: 1,
    ...more,
  };
}

function recordOf(
  n: number,
  {
    kind,
    parentId,
    base,
  }: Pick<BackupRecord, 'kind' | 'parentId'> & { readonly base: { readonly base?: BaseBackupFacts } },
): BackupRecord {
  const postgres = { method: [], ...base } as unknown as NonNullable<BackupRecord['components']['postgres']>;
  const record = { id: idOf(n), kind, parentId, status: 'complete', components: { postgres } };
  return record as unknown as BackupRecord;
}

const histories = fc
  .array(fc.record({ on: fc.option(fc.option(fc.nat(9), { nil: null }), { nil: undefined }) }), {
    minLength: 1,
    maxLength: 14,
  })
  .map((made) => history(made as Made[]));

describe('what a backup needs', () => {
  test('comes before it, once each, and brings along what that needs itself', () => {
    fc.assert(
      fc.property(histories, (backups) => {
        const lineage = byId(backups);
        for (const { id } of backups) {
          const { ids, missing } = neededBy(id, lineage);
          expect([ids.at(-1), missing, ids]).toEqual([id, [], [...new Set(ids)].toSorted()]);
          for (const one of ids) {
            const under = neededBy(one, lineage).ids;
            expect(under.filter((needed) => !ids.includes(needed))).toEqual([]);
          }
        }
      }),
    );
  });

  test('is the full backup and the whole chain of its base', () => {
    fc.assert(
      fc.property(histories, (backups) => {
        const lineage = byId(backups);
        for (const backup of backups.filter(({ components }) => components.postgres?.base !== undefined)) {
          const chain = baseChain(backup, lineage);
          expect(chain).toEqual({ ids: [...(backup.components.postgres?.base?.chain ?? []), backup.id] });
          const first = 'ids' in chain ? chain.ids[0] : undefined;
          expect(backup.kind === 'full' ? backup.id : backup.parentId).toBe(first);
        }
      }),
    );
  });

  test.each(['removed', 'damaged'] as const)(
    'is named when one of it is %s, and what needs none of it is as before',
    (how) => {
      fc.assert(
        fc.property(histories, fc.nat(), (backups, pick) => {
          const victim = backups[pick % backups.length]!;
          const left =
            how === 'removed'
              ? backups.filter(({ id }) => id !== victim.id)
              : backups.map((one) =>
                  one.id === victim.id ? { ...one, status: 'damaged' as const, components: {} } : one,
                );
          const [before, after] = [byId(backups), byId(left)];
          for (const backup of left.filter(({ id }) => id !== victim.id)) {
            const needsIt = neededBy(backup.id, before).ids.includes(victim.id);
            expect(neededBy(backup.id, after).missing).toEqual(needsIt ? [victim.id] : []);
            const stands = backup.components.postgres?.base?.chain?.includes(victim.id) === true;
            expect(brokenChains(left).some(({ backupId }) => backupId === backup.id)).toBe(stands);
          }
        }),
      );
    },
  );

  test('ends also where manifests name each other in a circle', () => {
    const [a, b] = history([{}, { on: 0 }]) as [BackupRecord, BackupRecord];
    const lineage = byId([{ ...a, parentId: b.id }, b]);
    expect(neededBy(b.id, lineage).ids).toEqual([a.id, b.id]);
    expect(neededBy(a.id, lineage).ids).toEqual([b.id, a.id]);
  });
});

describe('a chain is refused', () => {
  const [full, one, two] = history([{}, { on: 0 }, { on: 1 }]) as [BackupRecord, BackupRecord, BackupRecord];
  const withBase = (record: BackupRecord, base: BaseBackupFacts): BackupRecord => ({
    ...record,
    components: { postgres: { ...record.components.postgres!, base } },
  });
  const baseIn = (record: BackupRecord): BaseBackupFacts => record.components.postgres!.base!;

  test('as it is, it is taken', () => {
    expect(baseChain(two, byId([full, one, two]))).toEqual({ ids: [full.id, one.id, two.id] });
  });

  test.each<[string, BackupRecord[], RegExp]>([
    [
      'where a member is of another timeline',
      [full, withBase(one, { ...baseIn(one), timeline: 2 }), two],
      /another cluster or timeline/,
    ],
    [
      'where a member begins elsewhere',
      [full, withBase(one, { ...baseIn(one), startLsn: '0/99' }), two],
      /another base/,
    ],
    [
      'where a member stands on another',
      [full, withBase(one, { ...baseIn(one), parentStartLsn: '0/99' }), two],
      /does not go on/,
    ],
    [
      'where the first is no full base',
      [withBase(full, { ...baseIn(full), parentStartLsn: '0/1' }), one, two],
      /does not go on/,
    ],
    [
      'where a member has no base',
      [full, recordOf(1, { kind: 'incremental', parentId: full.id, base: {} }), two],
      /no physical base/,
    ],
  ])('%s', (_, backups, message) => {
    expect(baseChain(two, byId(backups))).toMatchObject({ message: expect.stringMatching(message) });
  });

  test('where it names nothing, or itself', () => {
    for (const chain of [[], [two.id], [full.id, full.id]]) {
      expect(baseChain(withBase(two, { ...baseIn(two), chain }), byId([full, one, two]))).toHaveProperty('message');
    }
  });
});

describe('the parent of the next incremental base', () => {
  const facts: NativeFacts = {
    serverVersion: 180_006,
    systemIdentifier: SYSTEM,
    timeline: 1,
    summarizesWal: true,
    inRecovery: false,
    dataChecksums: true,
    baseObstacle: '',
    canCombine: true,
  };

  test('is the newest base of the full backup whose chain is whole', () => {
    const backups = history([{}, { on: 0 }, { on: 1 }]);
    expect(findNativeParent(backups, idOf(0), facts)?.backupId).toBe(idOf(2));
    expect(findNativeParent([backups[0]!, backups[2]!], idOf(0), facts)?.backupId).toBe(idOf(0));
    expect(findNativeParent(backups, idOf(1), facts)).toBeUndefined();
    expect(findNativeParent(backups, idOf(0), { systemIdentifier: '1' })).toBeUndefined();
  });

  test.each<[Partial<NativeFacts>, number, string | null]>([
    [{}, 3, null],
    [{}, 2, 'chain-full'],
    [{ serverVersion: 160_015 }, 3, 'server-too-old'],
    [{ summarizesWal: false }, 3, 'summaries-off'],
    [{ canCombine: false }, 3, 'combine-missing'],
    [{ inRecovery: true }, 3, 'standby'],
    [{ timeline: 2 }, 3, 'timeline-changed'],
    [{ dataChecksums: false }, 3, 'checksums-changed'],
    [{ baseObstacle: 'wal_level is minimal' }, 3, 'base-impossible'],
  ])('%o with at most %i on a full base: %s', (change, chainMax, code) => {
    const parent = findNativeParent(history([{}, { on: 0 }, { on: 1 }]), idOf(0), facts);
    expect(nativeObstacle({ ...facts, ...change }, { parent, chainMax })?.code ?? null).toBe(code);
  });

  test('is not there where the full backup has none', () => {
    expect(nativeObstacle(facts, { parent: undefined, chainMax: 3 })?.code).toBe('no-parent');
  });
});
