import {
  describeFenced,
  losesSomething,
  mandateFor,
  type FencedPrimary,
} from '../../../src/domain/failover/fenced-primary.ts';
import type { ExactLoss } from '../../../src/domain/failover/loss.ts';
import { describeRejoin } from '../../../src/domain/failover/rejoin-plan.ts';

const FENCED: FencedPrimary = {
  change: {
    service: 'auth-postgres',
    from: 'a',
    to: 'b',
    way: 'ungraceful',
    epoch: 0,
    approvals: [],
    notices: [],
    systemIdentifier: '7',
    timeline: 1,
    primaryLsn: null,
  },
  authority: { service: 'auth-postgres', epoch: 1, region: 'b', holder: 'run-1.fence', since: '2026-01-02T03:04:05Z' },
  proof: { kind: 'clean', node: 'a', systemIdentifier: '7', timeline: 1, checkpointLsn: '0/3000028' },
  missing: null,
};
const LOSS: ExactLoss = {
  kind: 'exact',
  bytes: 300,
  transactions: 3,
  seconds: 1.5,
  forkLsn: '0/30000A0',
  endLsn: '0/30001CC',
  firstCommitAt: null,
  lastCommitAt: null,
};
const crashed = (missing: FencedPrimary['missing']): FencedPrimary => ({
  ...FENCED,
  proof: { ...FENCED.proof, kind: 'crashed' },
  missing,
});
const nobody = (): never => {
  throw new Error('nobody has approved it');
};

test('a standby that has all is promoted by the fence alone', () => {
  for (const fenced of [FENCED, crashed(null), crashed({ ...LOSS, bytes: 0, transactions: 0 })]) {
    expect(losesSomething(fenced)).toBe(false);
    expect(mandateFor(fenced, nobody)).toEqual({ change: FENCED.change, proof: fenced.proof });
  }
});

test('what it does not have needs somebody who takes on exactly that much', () => {
  expect(() => mandateFor(crashed(LOSS), nobody)).toThrow('nobody has approved it');
  expect(mandateFor(crashed(LOSS), () => 'erin')).toEqual({
    // Against it the loss is measured once more, immediately before the promotion.
    change: { ...FENCED.change, primaryLsn: '0/30001CC' },
    proof: { kind: 'approved', by: 'erin', lossBytes: 300 },
  });
});

test('what nobody could count is approved as unknown', () => {
  const fenced = crashed({ kind: 'estimate', bytes: null, seconds: null });
  expect(losesSomething(fenced)).toBe(true);
  expect(mandateFor(fenced, () => 'erin').proof).toEqual({ kind: 'approved', by: 'erin', lossBytes: null });
});

test('a fence and a return are told in a sentence', () => {
  expect(describeFenced(FENCED)).toBe('a is fenced: it ended clean; b has all of it');
  expect(describeFenced(crashed(LOSS))).toBe(
    'a is fenced: it had crashed; a promotion of b now: exact loss 300 bytes, 3 transactions, 1.5 s',
  );
  const postgres = { primary: 'b', way: 'rewound', loss: LOSS } as const;
  expect(describeRejoin({ region: 'a', postgres, redis: { primary: 'b', discardedBytes: 0 } })).toBe(
    'PostgreSQL of a was rewound and follows b, exact loss 300 bytes, 3 transactions, 1.5 s; Redis of a follows b, 0 bytes discarded',
  );
  expect(describeRejoin({ region: 'a', postgres: { ...postgres, way: 'there', loss: null }, redis: null })).toBe(
    'PostgreSQL of a followed already: b',
  );
});
