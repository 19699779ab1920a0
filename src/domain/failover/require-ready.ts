import { LifeboatError, type ErrorCode } from '../errors.ts';
import type { PairState, PairVerdict } from './pair-verdict.ts';

/** States with a name of their own among the errors; every other one that does not allow it is FAILOVER_NOT_READY. */
const CODES: Partial<Record<PairState, ErrorCode>> = {
  'split-brain': 'FAILOVER_SPLIT_BRAIN',
  usurped: 'FAILOVER_SPLIT_BRAIN',
  foreign: 'FAILOVER_FOREIGN_STANDBY',
  'rejoin-blocked': 'FAILOVER_REJOIN_BLOCKED',
};

/** Where no finding says more. */
const STATES: Readonly<Record<PairState, string>> = {
  healthy: 'the primary is there: a graceful one is possible',
  degraded: 'the primary is there: a graceful one is possible',
  'primary-lost': 'the primary does not answer: an ungraceful one is needed',
  'standby-lost': 'the standby does not answer',
  dark: 'neither server answers',
  'no-primary': 'both servers are standbys: an earlier change of roles is half done',
  'split-brain': 'both servers take writes',
  usurped: 'the server that takes writes does not hold the authority',
  foreign: 'they are not of one service',
  'rejoin-blocked': 'the standby holds what the primary does not have',
};

/**
 * Lets a change of roles of this kind begin, or says what stands in its way.
 * @param approved names of findings that somebody has taken on
 * @throws LifeboatError FAILOVER_SPLIT_BRAIN, FAILOVER_FOREIGN_STANDBY, FAILOVER_REJOIN_BLOCKED, FAILOVER_NOT_READY
 */
export function requireReady(
  verdict: PairVerdict,
  mode: 'graceful' | 'ungraceful',
  approved: readonly string[] = [],
): void {
  const open = verdict.findings.filter(({ name, weight }) => weight === 'approval' && !approved.includes(name));
  if (verdict.mayBegin === mode && open.length === 0) return;
  const stops = verdict.mayBegin === mode ? open : verdict.findings.filter(({ weight }) => weight !== 'notice');
  const why = stops.map(({ message }) => message).join('; ') || STATES[verdict.state];
  throw new LifeboatError(CODES[verdict.state] ?? 'FAILOVER_NOT_READY', `begin a ${mode} change of roles: ${why}`, {
    details: { state: verdict.state, findings: stops.map(({ name }) => name) },
  });
}
