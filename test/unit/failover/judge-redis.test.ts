/**
 * Goal: as for PostgreSQL, of two Redis servers: one name for what they are, and no change of roles on a guess.
 * Method: properties over servers in every mixture of roles, histories and offsets; a table of the cases by name.
 */
import fc from 'fast-check';
import { judgeRedisPair, type RedisQuestion } from '../../../src/domain/failover/judge-redis.ts';
import { divergedBytes, lostBytes } from '../../../src/domain/failover/redis-divergence.ts';
import type { RedisNodeView, RedisView } from '../../../src/domain/failover/redis-view.ts';
import { runs } from '../../support/property-runs.ts';

const LIMITS = { maxLagBytes: 1_000, maxSilentSeconds: 10 };
const NONE = '0'.repeat(40);
const LINK = { follows: 'a:6379', up: true, silentSeconds: 1 };
const REPLICA = { host: 'b', port: 6_379, state: 'online', offset: 900, lagSeconds: 0 };
const A: RedisView = {
  node: 'a',
  answers: true,
  role: 'master',
  version: '7.0.15',
  replid: 'one',
  replid2: NONE,
  secondOffset: -1,
  offset: 1_000,
  loading: false,
  failoverState: 'no-failover',
  link: null,
  replicas: [REPLICA],
  refusesWrites: false,
  cannotSave: false,
  keepsNothing: false,
};
const B: RedisView = { ...A, node: 'b', role: 'replica', offset: 900, link: LINK, replicas: [] };
const silent = (node: string): RedisNodeView => ({ node, answers: false, reason: 'no answer' });

const view = (node: string): fc.Arbitrary<RedisNodeView> =>
  fc.oneof(
    { weight: 1, arbitrary: fc.constant(silent(node)) },
    {
      weight: 5,
      arbitrary: fc
        .record({
          role: fc.constantFrom('master' as const, 'replica' as const),
          replid: fc.constantFrom('one', 'one', 'two', 'other'),
          offset: fc.nat({ max: 3_000 }),
          loading: fc.boolean(),
          link: fc.constantFrom(LINK, { ...LINK, up: false }, { ...LINK, silentSeconds: null }),
          replicas: fc.constantFrom([], [REPLICA], [REPLICA, { ...REPLICA, port: 1 }]),
        })
        .map((some): RedisNodeView => ({
          ...A,
          ...some,
          node,
          link: some.role === 'master' ? null : some.link,
          ...(some.replid === 'two' ? { replid2: 'one', secondOffset: 501 } : {}),
        })),
    },
  );
const question: fc.Arbitrary<RedisQuestion> = fc
  .record({ a: view('a'), b: view('b'), authorized: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }) })
  .map(({ a, b, authorized }) => ({
    nodes: [a, b],
    limits: LIMITS,
    ...(authorized === undefined ? {} : { authorized }),
  }));
const settings = { seed: 4711, numRuns: runs(2_000) };

describe('a pair of Redis servers', () => {
  it('is judged the same whichever is named first', () => {
    fc.assert(
      fc.property(question, ({ nodes: [a, b], ...rest }) => {
        expect(judgeRedisPair({ nodes: [b, a], ...rest })).toEqual(judgeRedisPair({ nodes: [a, b], ...rest }));
      }),
      settings,
    );
  });

  it('lets a change begin only with at most one master, of the history and place that are meant', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const { mayBegin, findings, state } = judgeRedisPair(asked);
        const answering = asked.nodes.filter((node) => node.answers);
        const masters = answering.filter(({ role }) => role === 'master');
        if (masters.length === 2) expect(['split-brain', 'foreign']).toContain(state);
        if (mayBegin === 'none') return;
        expect(masters).toHaveLength(mayBegin === 'graceful' ? 1 : 0);
        expect(findings.filter(({ weight }) => weight === 'stops')).toEqual([]);
        if (mayBegin === 'graceful') expect(new Set(answering.map(({ replid }) => replid)).size).toBe(1);
        if (asked.authorized !== undefined && masters[0] !== undefined) expect(masters[0].node).toBe(asked.authorized);
      }),
      settings,
    );
  });

  it.each<[string, Partial<RedisView>, Partial<RedisView>, readonly [string, string, string]]>([
    ['all is well', {}, {}, ['healthy', 'graceful', '']],
    ['the replica is too far behind', { offset: 1_901 }, {}, ['degraded', 'none', 'standby-behind']],
    ['the link is down', {}, { link: { ...LINK, up: false } }, ['degraded', 'none', 'not-streaming']],
    ['the replica still loads', {}, { loading: true, replid: 'mine' }, ['degraded', 'none', 'loading,not-streaming']],
    ['it hands over already', { failoverState: 'waiting-for-sync' }, {}, ['degraded', 'none', 'failover-running']],
    ['the replica cannot write to its disk', {}, { cannotSave: true }, ['degraded', 'none', 'cannot-save']],
    ['the replica keeps nothing', {}, { keepsNothing: true }, ['degraded', 'graceful', 'keeps-nothing']],
    ['there are more replicas', { replicas: [REPLICA, REPLICA] }, {}, ['degraded', 'graceful', 'more-replicas']],
    ['the replica is of another master', {}, { replid: 'other' }, ['foreign', 'none', 'foreign']],
    [
      'both take writes',
      {},
      { role: 'master', replid: 'two', replid2: 'one', secondOffset: 901 },
      ['split-brain', 'none', 'split-brain'],
    ],
    ['neither does', { role: 'replica' }, {}, ['no-primary', 'ungraceful', '']],
  ])('where %s', (_, a, b, [state, mayBegin, finding]) => {
    const verdict = judgeRedisPair({
      nodes: [
        { ...A, ...a },
        { ...B, ...b },
      ],
      limits: LIMITS,
    });
    expect(verdict).toMatchObject({ state, mayBegin });
    expect(verdict.findings.map(({ name }) => name).join()).toBe(finding);
  });

  it('counts what only the old master has from the first byte that is not common', () => {
    const present = { ...B, replid: 'two', replid2: 'one', secondOffset: 5_031_897 };
    // As it was measured: 12,836,506 - (5,031,897 - 1).
    expect(divergedBytes({ ...A, offset: 12_836_506 }, present)).toBe(7_804_610);
    expect(divergedBytes({ ...A, offset: 5_031_896 }, present)).toBe(0);
    expect(divergedBytes({ ...A, offset: 4_000_000 }, present)).toBe(0);
    expect(divergedBytes({ ...A, replid: 'other' }, present)).toBeNull();
  });

  it('counts nothing of one that follows, although it was asked a moment later', () => {
    const present = { ...A, node: 'b' };
    const follower = { ...B, node: 'a', offset: A.offset + 308 };
    expect(lostBytes(follower, present)).toBe(0);
    expect(lostBytes({ ...follower, link: { ...LINK, up: false } }, present)).toBe(308);
    expect(lostBytes({ ...A, offset: 950, replid: 'old' }, { ...present, replid2: 'old', secondOffset: 901 })).toBe(50);
  });
});
