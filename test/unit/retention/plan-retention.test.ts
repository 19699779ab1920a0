import fc from 'fast-check';
import { EMERGENCY, JOURNAL_START, SAVED_BEFORE_RESTORE } from '../../../src/domain/backup.ts';
import { byId, neededBy } from '../../../src/domain/lineage.ts';
import { periodOf } from '../../../src/domain/retention/periods.ts';
import { planRetention } from '../../../src/domain/retention/plan-retention.ts';
import type { RetentionBackup, RetentionRules } from '../../../src/domain/retention/retention-rules.ts';
import { DAY, idAt, made, NO_GFS, NOW, RULES } from './made-backups.ts';

function plan(
  backups: readonly RetentionBackup[],
  rules: Partial<RetentionRules> = {},
  moment: { readonly nowMs?: number; readonly undoUntilMs?: ReadonlyMap<string, number> } = {},
): Record<string, string[]> {
  const decisions = planRetention(backups, { ...RULES, ...rules }, { nowMs: NOW, undoUntilMs: new Map(), ...moment });
  return Object.fromEntries(
    decisions.map(({ id, keep, reasons }) => [
      id,
      [keep ? 'kept' : 'gone', ...new Set(reasons.map(({ code }) => code))],
    ]),
  );
}

describe('what is kept', () => {
  test('is what is young, up to a number, and the newest full one in any case', () => {
    const all = [made(1), made(2), made(3), made(8)];
    expect(Object.values(plan(all))).toEqual([
      ['kept', 'young', 'newest', 'minimum'],
      ['kept', 'young'],
      ['kept', 'young'],
      ['gone', 'expired'],
    ]);
    expect(Object.values(plan(all, { maxBackups: 2 }))[2]).toEqual(['gone', 'surplus']);
    expect(Object.values(plan([made(50), made(60)]))).toEqual([
      ['kept', 'newest', 'minimum'],
      ['gone', 'expired'],
    ]);
  });

  test('counts only verified full backups as a minimum, and keeps unverified ones beside them', () => {
    const all = [made(40, { verifiedAt: null }), made(50), made(60)];
    expect(Object.values(plan(all))).toEqual([
      ['kept', 'newest'],
      ['kept', 'minimum'],
      ['gone', 'expired'],
    ]);
    const unverified = [made(40, { verifiedAt: null }), made(50, { verifiedAt: null })];
    expect(Object.values(plan(unverified))[0]).toEqual(['kept', 'newest', 'minimum']);
    expect(Object.values(plan([...unverified, made(60)], { minFull: 2 }))).toEqual([
      ['kept', 'newest', 'minimum'],
      ['kept', 'minimum'],
      ['kept', 'minimum'],
    ]);
  });

  test('is counted for each component: a newer one of Redis alone does not stand in for PostgreSQL', () => {
    const all = [made(40, { holdsOf: ['redis'] }), made(50), made(60)];
    expect(Object.values(plan(all))).toEqual([
      ['kept', 'newest', 'minimum'],
      ['kept', 'newest', 'minimum'],
      ['gone', 'expired'],
    ]);
  });

  test('goes by day, ISO week, month and year', () => {
    expect(
      ['2025-12-28', '2025-12-29', '2026-01-04', '2026-01-05', '2027-01-01'].map((day) =>
        periodOf('weekly', Date.parse(day)),
      ),
    ).toEqual(['2025-W52', '2026-W01', '2026-W01', '2026-W02', '2026-W53']);
    const all = [10, 11, 12, 20, 30, 31, 60, 400].map((days) => made(days));
    const kept = plan(all, { gfs: { ...NO_GFS, daily: 2, monthly: 2, yearly: 2 } });
    expect(Object.values(kept).map(([keep]) => keep)).toEqual([
      'kept',
      'kept',
      'gone',
      'gone',
      'kept',
      'gone',
      'gone',
      'kept',
    ]);
  });

  test('is with whatever it stands on, and with the one who needs it named', () => {
    const full = made(60);
    const first = made(50, { kind: 'incremental', parentId: full.id, layers: [full.id] });
    const second = made(1, { kind: 'incremental', parentId: full.id, layers: [full.id, first.id] });
    const newer = made(0.5);
    const decided = plan([full, first, second, newer]);
    expect(decided[full.id]).toEqual(['kept', 'needed']);
    expect(decided[first.id]).toEqual(['kept', 'needed']);
  });

  test('is what is held, damaged, locked, or from the future; and those push nobody out', () => {
    const held = made(90, { holds: ['audit'] });
    const damaged = made(80, { status: 'damaged', holdsOf: [] });
    const future = made(-400);
    expect(plan([future, made(1), damaged, held], { maxBackups: 1 })).toEqual({
      [future.id]: ['kept', 'from-the-future'],
      [idAt(NOW - DAY)]: ['kept', 'young', 'newest', 'minimum'],
      [damaged.id]: ['kept', 'damaged'],
      [held.id]: ['kept', 'hold'],
    });
    expect(plan([made(1), made(20)], { lockedMs: 30 * DAY })[idAt(NOW - 20 * DAY)]).toEqual(['kept', 'locked']);
  });

  test('are the keys that a restore replaced, until it cannot be undone; of a restore without an end as long as a backup', () => {
    const saved = made(2, { label: { reason: SAVED_BEFORE_RESTORE }, holdsOf: ['redis'] });
    expect(plan([made(1), saved])[saved.id]).toEqual(['kept', 'undo']);
    const until = (ms: number): string[] | undefined =>
      plan([made(1), saved], {}, { undoUntilMs: new Map([[saved.id, ms]]) })[saved.id];
    expect(until(NOW + 1)).toEqual(['kept', 'undo']);
    expect(until(NOW - 1)).toEqual(['gone', 'undo-over']);
  });

  test('are copies of a state that a recovery plan replaced, as long as a backup; they count for nothing', () => {
    const emergency = made(2, { label: { reason: EMERGENCY } });
    const decided = plan([emergency, made(20)], { maxBackups: 1 });
    expect(decided[emergency.id]).toEqual(['kept', 'undo']);
    expect(decided[idAt(NOW - 20 * DAY)]).toContain('newest');
  });

  test('are snapshots that the journal stands on, since the oldest backup that is kept', () => {
    const start = (days: number): RetentionBackup =>
      made(days, { label: { reason: JOURNAL_START }, holdsOf: ['redis'] });
    const [old, middle, young] = [start(30), start(5), start(1)];
    const decided = plan([old, made(6), middle, made(2), young]);
    expect([decided[old.id], decided[middle.id]]).toEqual([
      ['gone', 'journal-start-over'],
      ['kept', 'journal-start'],
    ]);
    expect(plan([old])[old.id]).toEqual(['kept', 'journal-start']);
  });
});

describe('whatever happens', () => {
  const act = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('backup' as const),
        incremental: fc.boolean(),
        verified: fc.boolean(),
        only: fc.constantFrom('both', 'postgres', 'redis'),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('hold' as const), at: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), at: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('damage' as const), at: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), days: fc.integer({ min: 0, max: 20 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('clock' as const), days: fc.integer({ min: -400, max: 400 }) }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('cleanup' as const) }) },
  );
  const rulesOf = fc.record({
    days: fc.integer({ min: 1, max: 10 }),
    maxBackups: fc.integer({ min: 1, max: 6 }),
    minFull: fc.integer({ min: 1, max: 3 }),
    gfs: fc.record({ hourly: fc.nat(2), daily: fc.nat(2), weekly: fc.nat(2), monthly: fc.nat(2), yearly: fc.nat(2) }),
    lockedMs: fc.constantFrom(0, 3 * DAY),
  });

  test('no backups, holds, cleanups and clock jumps leave a listed point that cannot be restored, or nothing that was verified', () => {
    let removals = 0;
    fc.assert(
      fc.property(fc.array(act, { minLength: 15, maxLength: 60, size: 'max' }), rulesOf, (acts, rules) => {
        const group: Group = { nowMs: NOW, backups: [] };
        for (const step of acts) {
          if (step.do === 'wait' || step.do === 'clock') group.nowMs += step.days * DAY;
          else if (step.do === 'backup') take(group, step);
          else if (step.do === 'cleanup') removals += cleanUp(group, rules);
          else change(group, step.at, CHANGES[step.do]);
        }
      }),
      { numRuns: 120, seed: 5 },
    );
    // The property is about removals: without any it would say nothing.
    expect(removals).toBeGreaterThan(200);
  });
});

/** A clock, and what is listed, in the order in which it was taken. */
interface Group {
  nowMs: number;
  backups: RetentionBackup[];
}

const CHANGES: Readonly<Record<'hold' | 'release' | 'damage', Partial<RetentionBackup>>> = {
  hold: { holds: ['because'] },
  release: { holds: [] },
  damage: { status: 'damaged', components: {}, parentId: null, holds: [] },
};

function change(group: Group, at: number, to: Partial<RetentionBackup>): void {
  const one = group.backups[at % Math.max(1, group.backups.length)];
  group.backups = group.backups.map((backup) => (backup === one ? { ...backup, ...to } : backup));
}

/** As Lifeboat takes them: an incremental one stands on the newest full one that can be read. */
function take(
  group: Group,
  { incremental, verified, only }: { readonly incremental: boolean; readonly verified: boolean; readonly only: string },
): void {
  group.nowMs += 60_000;
  while (group.backups.some(({ id }) => id === idAt(group.nowMs))) group.nowMs += 1;
  const last = group.backups.findLast(isWhole);
  const parent = incremental ? last : undefined;
  const both = parent !== undefined || only === 'both';
  group.backups.push(
    made((NOW - group.nowMs) / DAY, {
      id: idAt(group.nowMs),
      createdAt: new Date(group.nowMs).toISOString(),
      holdsOf: (['postgres', 'redis'] as const).filter((name) => both || name === only),
      layers: parent === undefined ? [] : [parent.id],
      verifiedAt: verified ? new Date(group.nowMs).toISOString() : null,
      ...(parent === undefined ? {} : { kind: 'incremental', parentId: parent.id }),
    }),
  );
}

function isWhole({ status, kind, components }: RetentionBackup): boolean {
  return status === 'complete' && kind === 'full' && components.redis !== undefined;
}

/** Does what the plan says, and looks at what must be so afterwards; gives how many went. */
function cleanUp(group: Group, rules: RetentionRules): number {
  const { nowMs, backups: before } = group;
  const decide = (): ReturnType<typeof planRetention> =>
    planRetention(group.backups, rules, { nowMs, undoUntilMs: new Map() });
  const gone = new Set(decide().flatMap(({ id, keep }) => (keep ? [] : [id])));
  group.backups = before.filter(({ id }) => !gone.has(id));
  const [was, is] = [byId(before), byId(group.backups)];
  for (const { id, status } of group.backups) {
    if (status === 'damaged' || neededBy(id, was).missing.length > 0) continue;
    expect(neededBy(id, is).missing).toEqual([]);
  }
  expect(before.filter(({ id, holds }) => holds.length > 0 && gone.has(id))).toEqual([]);
  expect(before.filter(({ id, createdAt }) => Date.parse(createdAt) > nowMs && gone.has(id))).toEqual([]);
  for (const name of ['postgres', 'redis'] as const) {
    const full = before.filter((one) => one.kind === 'full' && one.status === 'complete' && one.components[name]);
    const verified = full.filter(({ verifiedAt }) => verifiedAt !== null);
    const left = verified.filter(({ id }) => is.has(id)).length;
    expect(left).toBeGreaterThanOrEqual(Math.min(rules.minFull, verified.length));
    if (full.length > 0) expect(full.some(({ id }) => is.has(id))).toBe(true);
  }
  // A plan that was carried out finds nothing more to do.
  expect(decide().filter(({ keep }) => !keep)).toEqual([]);
  return gone.size;
}
