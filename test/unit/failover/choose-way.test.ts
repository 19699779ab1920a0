import type { Authority } from '../../../src/domain/failover/authority.ts';
import {
  chooseWay,
  describeFailover,
  describeOutcome,
  type WayQuestion,
} from '../../../src/domain/failover/failover-plan.ts';
import type { Finding } from '../../../src/domain/failover/finding.ts';
import type { PairVerdict } from '../../../src/domain/failover/pair-verdict.ts';
import { caught } from '../../support/caught.ts';

const verdict = (state: PairVerdict['state'], more: Partial<PairVerdict> = {}): PairVerdict => ({
  state,
  primary: null,
  standby: null,
  findings: [],
  mayBegin: 'none',
  ...more,
});
const finding = (weight: Finding['weight']): Finding => ({ name: weight, weight, message: `b is ${weight}` });
const held = (region: string, holder = 'run-1.switch'): Authority => ({
  service: 'default-postgres',
  epoch: 3,
  region,
  holder,
  since: '2026-01-02T03:04:05.678Z',
});

const HEALTHY = verdict('healthy', { primary: 'a', standby: 'b', mayBegin: 'graceful' });
const BEHIND = verdict('degraded', { primary: 'a', standby: 'b', findings: [finding('stops')] });
const LOST = verdict('primary-lost', { standby: 'b', mayBegin: 'ungraceful', findings: [finding('approval')] });
const AT_TARGET = verdict('standby-lost', { primary: 'b' });

const ask = (more: Partial<WayQuestion>): WayQuestion => ({
  verdict: HEALTHY,
  to: 'b',
  mode: 'graceful',
  authority: undefined,
  holder: 'run-1.switch',
  ...more,
});

test.each([
  ['a sound pair', {}, 'graceful'],
  ['a sound pair, in the ungraceful mode', { mode: 'ungraceful' }, 'graceful'],
  ['a primary that is lost', { verdict: LOST, mode: 'ungraceful' }, 'ungraceful'],
  ['a target that is primary, before anybody took the authority', { verdict: AT_TARGET }, 'done'],
  ['a target that is primary and holds the authority', { verdict: AT_TARGET, authority: held('b', 'other') }, 'done'],
  ['a primary that this run has stopped', { verdict: LOST, authority: held('b') }, 'graceful'],
  ['a sound pair whose authority a run took that ended early', { authority: held('b', 'other') }, 'graceful'],
] satisfies readonly (readonly [string, Partial<WayQuestion>, string])[])('%s', (_name, more, way) => {
  expect(chooseWay(ask(more))).toBe(way);
});

test.each([
  ['a primary that is lost, in the graceful mode', { verdict: LOST }, 'FAILOVER_NOT_READY'],
  ['a primary that another run has stopped', { verdict: LOST, authority: held('b', 'other') }, 'FAILOVER_NOT_READY'],
  ['a standby that is too far behind', { verdict: BEHIND }, 'FAILOVER_NOT_READY'],
  [
    'a standby that is too far behind, in the ungraceful mode',
    { verdict: BEHIND, mode: 'ungraceful' },
    'FAILOVER_NOT_READY',
  ],
  [
    'a target that is away',
    { verdict: verdict('standby-lost', { primary: 'a' }), mode: 'ungraceful' },
    'FAILOVER_NOT_READY',
  ],
  [
    'a target that is away, of which the other is a standby',
    { verdict: { ...LOST, standby: 'a' }, mode: 'ungraceful' },
    'FAILOVER_NOT_READY',
  ],
  [
    'a target that takes writes without the authority',
    { verdict: verdict('usurped', { primary: 'b' }), authority: held('a') },
    'FAILOVER_SPLIT_BRAIN',
  ],
  ['two that take writes', { verdict: verdict('split-brain'), mode: 'ungraceful' }, 'FAILOVER_SPLIT_BRAIN'],
  ['two clusters', { verdict: verdict('foreign'), mode: 'ungraceful' }, 'FAILOVER_FOREIGN_STANDBY'],
] satisfies readonly (readonly [string, Partial<WayQuestion>, string])[])(
  '%s is refused',
  async (_name, more, code) => {
    expect((await caught(() => chooseWay(ask(more)))).code).toBe(code);
  },
);

const CHANGE = { service: 's', from: 'a', to: 'b', epoch: 0, approvals: [], notices: [] } as const;
const POSTGRES = { ...CHANGE, systemIdentifier: '1', timeline: 1, primaryLsn: null };

test('a forecast names what a person takes on, and what is done already', () => {
  const redis = { ...CHANGE, way: 'done', replid: 'f', silentSeconds: null } as const;
  const postgres = { ...POSTGRES, way: 'ungraceful', approvals: ['b is behind'], notices: ['b has slots'] } as const;
  expect(describeFailover({ targetRegion: 'b', postgres, redis })).toEqual([
    'make b primary of PostgreSQL in the place of a, ungraceful',
    'need a fence of a, or an approval before: b is behind',
    'note that b has slots',
    'leave Redis alone: b is primary already',
  ]);
});

test('an outcome says of each loss whether it is exact, and what is not known', () => {
  const roles = { service: 's', way: 'ungraceful', epoch: 4, primary: 'b', old: 'a', oldIs: 'unproven' } as const;
  const postgres = { ...roles, loss: { kind: 'estimate', bytes: null, seconds: 3 } } as const;
  expect(describeOutcome({ targetRegion: 'b', postgres, redis: { ...roles, loss: null } })).toBe(
    'PostgreSQL: b is primary since epoch 4, a unproven, estimate loss an unknown number of bytes, 3 s; Redis: b is primary since epoch 4, a unproven, loss not counted',
  );
});
