/**
 * Goal: what two servers are to each other has one name, and nothing begins by itself where that would be a guess.
 * Method: properties over servers in every mixture of roles, timelines, positions and troubles; a table of the cases by name.
 */
import fc from 'fast-check';
import { judgePostgresPair, type PairQuestion } from '../../../src/domain/failover/judge-postgres.ts';
import { estimateLoss } from '../../../src/domain/failover/loss.ts';
import type { NodeView, PostgresView } from '../../../src/domain/failover/postgres-view.ts';
import { requireReady } from '../../../src/domain/failover/require-ready.ts';
import { hasReplayed } from '../../../src/failover/postgres/await-caught-up.ts';
import { formatLsn, lsnOf } from '../../../src/domain/lsn.ts';
import { parseTimelineHistory } from '../../../src/domain/timeline.ts';
import { caught } from '../../support/caught.ts';
import { runs } from '../../support/property-runs.ts';

const LIMITS = { maxLagBytes: 1_000, maxSilentSeconds: 10 };
const SENDER = { name: 'b', state: 'streaming', syncState: 'async', replayedLsn: '0/3000000', lagSeconds: 0 };
const RECEIVER = { status: 'streaming', silentSeconds: 1, follows: 'a:5432' };
const HISTORY = parseTimelineHistory(2, '1\t0/3000000\tno recovery target specified\n');
if (typeof HISTORY === 'string') throw new Error(HISTORY);

const A: PostgresView = {
  node: 'a',
  answers: true,
  inRecovery: false,
  serverVersion: 180_000,
  systemIdentifier: '7',
  timeline: 1,
  history: null,
  lsn: '0/3000100',
  replayedLsn: null,
  replayPaused: false,
  replayedAgeSeconds: null,
  receiver: null,
  senders: [SENDER],
  slots: [],
  archiverFailing: false,
  baseBackupsRunning: 0,
  rewindable: true,
};
const B: PostgresView = {
  ...A,
  node: 'b',
  inRecovery: true,
  lsn: '0/3000000',
  replayedLsn: '0/3000000',
  replayedAgeSeconds: 3,
  receiver: RECEIVER,
  senders: [],
};
const silent = (node: string): NodeView => ({ node, answers: false, reason: 'no answer' });

const view = (node: string): fc.Arbitrary<NodeView> =>
  fc.oneof(
    { weight: 1, arbitrary: fc.constant(silent(node)) },
    {
      weight: 5,
      arbitrary: fc
        .record({
          inRecovery: fc.boolean(),
          systemIdentifier: fc.constantFrom('7', '7', '7', '8'),
          timeline: fc.constantFrom(1, 2),
          lsn: fc.bigInt({ min: 0x2fff_000n, max: 0x3000_800n }).map(formatLsn),
          replayPaused: fc.boolean(),
          receiver: fc.constantFrom(
            null,
            RECEIVER,
            { ...RECEIVER, silentSeconds: 11 },
            { ...RECEIVER, status: 'waiting' },
          ),
          senders: fc.constantFrom([], [SENDER], [{ ...SENDER, state: 'catchup' }]),
          archiverFailing: fc.boolean(),
          baseBackupsRunning: fc.nat({ max: 1 }),
          rewindable: fc.boolean(),
        })
        .map((some): NodeView => ({ ...B, ...some, node, history: some.timeline === 2 ? HISTORY : null })),
    },
  );
const question: fc.Arbitrary<PairQuestion> = fc
  .record({ a: view('a'), b: view('b'), authorized: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }) })
  .map(({ a, b, authorized }) => ({
    nodes: [a, b],
    limits: LIMITS,
    ...(authorized === undefined ? {} : { authorized }),
  }));
const settings = { seed: 4711, numRuns: runs(2_000) };

describe('a pair of PostgreSQL servers', () => {
  it('is judged the same whichever is named first', () => {
    fc.assert(
      fc.property(question, ({ nodes: [a, b], ...rest }) => {
        expect(judgePostgresPair({ nodes: [b, a], ...rest })).toEqual(judgePostgresPair({ nodes: [a, b], ...rest }));
      }),
      settings,
    );
  });

  it('lets a change begin only with one cluster, at most one writable server, and nothing that stops it', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const verdict = judgePostgresPair(asked);
        const answering = asked.nodes.filter((node) => node.answers);
        const writable = answering.filter(({ inRecovery }) => !inRecovery);
        if (verdict.mayBegin === 'none') return;
        expect(new Set(answering.map(({ systemIdentifier }) => systemIdentifier)).size).toBe(1);
        expect(writable).toHaveLength(verdict.mayBegin === 'graceful' ? 1 : 0);
        expect(verdict.findings.filter(({ weight }) => weight === 'stops')).toEqual([]);
        if (asked.authorized !== undefined && writable[0] !== undefined)
          expect(writable[0].node).toBe(asked.authorized);
      }),
      settings,
    );
  });

  it('is split whenever two servers of one cluster take writes, whatever else is the matter', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const answering = asked.nodes.filter((node) => node.answers);
        const [first, second] = answering;
        const bothWrite = answering.length === 2 && answering.every(({ inRecovery }) => !inRecovery);
        const isSplit = bothWrite && first?.systemIdentifier === second?.systemIdentifier;
        expect(judgePostgresPair(asked).state === 'split-brain').toBe(isSplit);
      }),
      settings,
    );
  });

  it('never lets a standby follow whose position the primary did not pass through', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0x2ff_0000n, max: 0x301_0000n }), (at) => {
        const primary = { ...A, node: 'b', timeline: 2, history: HISTORY, lsn: '0/4000000' };
        const standby = { ...B, node: 'a', lsn: formatLsn(at) };
        const { state } = judgePostgresPair({ nodes: [primary, standby], limits: { ...LIMITS, maxLagBytes: 1e9 } });
        expect(state).toBe(at > lsnOf('0/3000000') ? 'rejoin-blocked' : 'healthy');
      }),
      { ...settings, numRuns: runs(300) },
    );
  });

  it.each<[string, Partial<PostgresView>, Partial<PostgresView>, readonly [string, string, string]]>([
    ['all is well', {}, {}, ['healthy', 'graceful', '']],
    ['the standby is too far behind', { lsn: '0/30003E9' }, {}, ['degraded', 'none', 'standby-behind']],
    ['the standby is as far behind as it may be', { lsn: '0/30003E8' }, {}, ['healthy', 'graceful', '']],
    ['replay is paused', {}, { replayPaused: true }, ['degraded', 'none', 'replay-paused']],
    [
      'the line is cut, and the receiver does not know',
      {},
      { receiver: { ...RECEIVER, silentSeconds: 10.1 } },
      ['degraded', 'none', 'not-streaming'],
    ],
    ['somebody else is served', { senders: [] }, {}, ['degraded', 'none', 'not-streaming']],
    ['archiving fails', { archiverFailing: true }, {}, ['degraded', 'graceful', 'archiver-failing']],
    ['a base backup runs', { baseBackupsRunning: 1 }, {}, ['degraded', 'graceful', 'base-backup-running']],
    [
      'a slot was lost',
      {},
      { slots: [{ name: 'cdc', kind: 'logical', active: false, invalid: 'lost' }] },
      ['degraded', 'graceful', 'slot-invalid'],
    ],
    ['nothing can be rewound', {}, { rewindable: false }, ['degraded', 'graceful', 'not-rewindable']],
    ['the standby is of another cluster', {}, { systemIdentifier: '8' }, ['foreign', 'none', 'foreign']],
    [
      'the standby is on a timeline of its own',
      {},
      { timeline: 2, history: HISTORY },
      ['rejoin-blocked', 'none', 'diverged'],
    ],
    ['both take writes', {}, { inRecovery: false }, ['split-brain', 'none', 'split-brain']],
    ['neither does', { inRecovery: true }, {}, ['no-primary', 'ungraceful', '']],
  ])('where %s', (_, a, b, [state, mayBegin, finding]) => {
    const verdict = judgePostgresPair({
      nodes: [
        { ...A, ...a },
        { ...B, ...b },
      ],
      limits: LIMITS,
    });
    expect(verdict).toMatchObject({ state, mayBegin });
    expect(verdict.findings.map(({ name }) => name).join()).toBe(finding);
  });

  it('with one that is silent depends on which, on the last position, and on the authority', async () => {
    expect(judgePostgresPair({ nodes: [A, silent('b')], limits: LIMITS })).toMatchObject({
      state: 'standby-lost',
      primary: 'a',
    });
    expect(judgePostgresPair({ nodes: [A, silent('b')], limits: LIMITS, authorized: 'b' }).state).toBe('usurped');
    expect(judgePostgresPair({ nodes: [silent('a'), silent('b')], limits: LIMITS }).state).toBe('dark');
    const lost = { nodes: [silent('a'), B] as const, limits: LIMITS };
    const near = judgePostgresPair({ ...lost, lastPrimaryLsn: '0/3000100' });
    expect(near).toMatchObject({ state: 'primary-lost', standby: 'b', findings: [], mayBegin: 'ungraceful' });
    requireReady(near, 'ungraceful');
    expect((await caught(() => requireReady(near, 'graceful'))).message).toContain('an ungraceful one is needed');
    const far = judgePostgresPair({ ...lost, lastPrimaryLsn: '0/4000000' });
    const refused = await caught(() => requireReady(far, 'ungraceful'));
    expect(refused).toMatchObject({ code: 'FAILOVER_NOT_READY', details: { findings: ['standby-behind'] } });
    requireReady(far, 'ungraceful', ['standby-behind']);
  });

  it('needs room on the disk of the standby, where that is known', () => {
    const limits = { ...LIMITS, minFreeBytes: 100 };
    const names = (nodes: PairQuestion['nodes'], standbyFreeBytes?: PairQuestion['standbyFreeBytes']): string[] => {
      const known = standbyFreeBytes === undefined ? {} : { standbyFreeBytes };
      const { findings } = judgePostgresPair({ nodes, limits, lastPrimaryLsn: '0/3000100', ...known });
      return findings.map(({ name, weight }) => `${name} ${weight}`);
    };
    expect(names([A, B], 99)).toEqual(['disk-nearly-full stops']);
    expect(names([silent('a'), B], 99)).toEqual(['disk-nearly-full approval']);
    expect(names([A, B], { unknown: 'no ssh' })).toEqual(['disk-unknown notice']);
    expect([...names([A, B], 100), ...names([A, B])]).toEqual([]);
  });

  it('is refused with the error of its state', async () => {
    const split = judgePostgresPair({ nodes: [A, { ...B, inRecovery: false }], limits: LIMITS });
    const foreign = judgePostgresPair({ nodes: [A, { ...B, systemIdentifier: '8' }], limits: LIMITS });
    const healthy = judgePostgresPair({ nodes: [A, B], limits: LIMITS });
    expect((await caught(() => requireReady(split, 'graceful'))).code).toBe('FAILOVER_SPLIT_BRAIN');
    expect((await caught(() => requireReady(foreign, 'graceful'))).code).toBe('FAILOVER_FOREIGN_STANDBY');
    expect((await caught(() => requireReady(healthy, 'ungraceful'))).message).toContain('a graceful one is possible');
  });

  it('has all of a stopped primary only beyond the place where its last checkpoint begins', () => {
    const proof = { kind: 'clean', node: 'a', systemIdentifier: '7', timeline: 1, checkpointLsn: '0/3000028' } as const;
    const positions = ['0/3000027', '0/3000028', '0/3000029', '1/0', null];
    expect(positions.map((position) => hasReplayed(position, proof))).toEqual([false, false, true, true, false]);
  });

  it('estimates no negative loss: the sample of the primary may be older than the standby', () => {
    expect(estimateLoss(B, '0/2000000')).toEqual({ kind: 'estimate', bytes: 0, seconds: 3 });
    expect(estimateLoss(B, '0/3000010')).toEqual({ kind: 'estimate', bytes: 16, seconds: 3 });
    expect(estimateLoss(B, undefined)).toEqual({ kind: 'estimate', bytes: null, seconds: 3 });
  });
});
