import { planRetention } from '../../../src/domain/retention/plan-retention.ts';
import { type CopiedHoldings, planTargetRetention } from '../../../src/domain/retention/plan-target-retention.ts';
import type { RetentionBackup, RetentionMoment } from '../../../src/domain/retention/retention-rules.ts';
import { DAY, made, NOW, RULES } from './made-backups.ts';

const moment: RetentionMoment = { nowMs: NOW, undoUntilMs: new Map() };

describe('a target', () => {
  const old = made(30);
  const newest = made(1);

  function codesOf(holdings: Partial<CopiedHoldings>, id = old.id): string[] {
    const all = { there: [old, newest], own: [old, newest], removedInOrder: new Set<string>(), ...holdings };
    const decisions = planTargetRetention({ removedThere: new Set(), ...all }, RULES, moment);
    const found = decisions.find((one) => one.id === id);
    return [found?.keep === true ? 'kept' : 'gone', ...new Set(found?.reasons.map(({ code }) => code))];
  }

  test.each<[string, Partial<CopiedHoldings>, string[]]>([
    ['lets go what its rules do not keep, though the repository has it still', {}, ['gone', 'expired']],
    [
      'lets go by its own rules what the repository removed in order',
      { own: [newest], removedInOrder: new Set([old.id]) },
      ['gone', 'expired'],
    ],
    ['keeps what the repository has lost', { own: [newest] }, ['kept', 'only-copy']],
    [
      'keeps what is damaged in the repository',
      { own: [made(30, { status: 'damaged', verifiedAt: null }), newest] },
      ['kept', 'only-copy'],
    ],
    [
      'keeps what was read back there and never in the repository',
      { own: [made(30, { verifiedAt: null }), newest] },
      ['kept', 'only-verified'],
    ],
    [
      'lets go what was read back nowhere',
      { own: [made(30, { verifiedAt: null }), newest], there: [made(30, { verifiedAt: null }), newest] },
      ['gone', 'expired'],
    ],
    [
      'keeps what is held in the repository since the last copy',
      { own: [made(30, { holds: ['x'] }), newest] },
      ['kept', 'hold'],
    ],
    [
      'lets go what was released in the repository since the last copy',
      { there: [made(30, { holds: ['x'] }), newest] },
      ['gone', 'expired'],
    ],
    [
      'keeps what a backup that is still to come stands on',
      { own: [old, newest, made(0.5, { kind: 'incremental', parentId: old.id })] },
      ['kept', 'needed'],
    ],
    [
      'keeps nothing for a backup that it removed itself',
      (() => {
        const removed = made(20, { kind: 'incremental', parentId: old.id });
        return { own: [old, newest, removed], removedThere: new Set([removed.id]) };
      })(),
      ['gone', 'expired'],
    ],
  ])('%s', (_, holdings, expected) => {
    expect(codesOf(holdings)).toEqual(expected);
  });

  test('whose newest copies have not come yet keeps its last verified full backup, whatever the repository has', () => {
    expect(codesOf({ there: [old], own: [old, newest] })).toEqual(['kept', 'newest', 'minimum']);
  });

  test('of a chain keeps what the one that it must keep stands on', () => {
    const under = made(40);
    const over = made(30, { kind: 'incremental', parentId: under.id });
    expect(codesOf({ there: [under, over, newest], own: [under, newest] }, under.id)).toEqual(['kept', 'needed']);
  });

  test('with a clock that was set back a year lets nothing go', () => {
    const holdings = { there: [old, newest], own: [old, newest], removedInOrder: new Set<string>() };
    const back = { ...moment, nowMs: NOW - 365 * DAY };
    const decisions = planTargetRetention({ ...holdings, removedThere: new Set() }, RULES, back);
    expect(decisions.filter(({ keep }) => !keep)).toEqual([]);
  });
});

describe('a damaged backup', () => {
  const proven = (backup: RetentionBackup): RetentionMoment => ({ ...moment, provenDamaged: new Set([backup.id]) });
  const damage: Partial<RetentionBackup> = { status: 'damaged', components: {}, verifiedAt: null };
  const fate = (backups: RetentionBackup[], at: RetentionMoment): string[] => {
    const found = planRetention(backups, RULES, at).find(({ id }) =>
      backups.some((one) => one.id === id && one.status === 'damaged'),
    );
    return [found?.keep === true ? 'kept' : 'gone', ...new Set(found?.reasons.map(({ code }) => code))];
  };

  test('goes after the usual time once a newer full one of each component was verified, and not before', () => {
    const old = made(30, damage);
    expect(fate([old, made(1)], proven(old))).toEqual(['gone', 'damaged-over']);
    const young = made(3, damage);
    expect(fate([young, made(1)], proven(young))).toEqual(['kept', 'damaged']);
    expect(fate([old, made(1, { verifiedAt: null })], proven(old))).toEqual(['kept', 'damaged']);
    expect(fate([old, made(40)], proven(old))).toEqual(['kept', 'damaged']);
    expect(fate([old], proven(old))).toEqual(['kept', 'damaged']);
    expect(fate([old, made(1, { holdsOf: ['postgres'] }), made(50)], proven(old))).toEqual(['kept', 'damaged']);
  });

  test('stays where nothing proves that it is more than a key that is not trusted, until somebody asks for it to go', () => {
    const old = made(3, damage);
    expect(fate([old, made(1)], moment)).toEqual(['kept', 'damaged']);
    expect(fate([old, made(1, { verifiedAt: null })], { ...moment, includeDamaged: true })).toEqual([
      'gone',
      'damaged-over',
    ]);
  });

  test('stays in any case where another one stands on it', () => {
    const old = made(30, damage);
    const over = made(1, { kind: 'incremental', parentId: old.id });
    expect(fate([old, over, made(0.5)], { ...proven(old), includeDamaged: true })).toEqual(['kept', 'needed']);
  });
});
