import type { Finding } from './finding.ts';

/**
 * What two servers of one service are to each other.
 * - `healthy`, `degraded`: one primary, one standby of it; `degraded` where something was found.
 * - `primary-lost`, `standby-lost`, `dark`: one does not answer, or neither.
 * - `no-primary`: both are standbys: a change of roles stopped between fence and promotion.
 * - `split-brain`: both take writes. `usurped`: the one that does is not where the authority is.
 * - `foreign`: they are not of one cluster. `rejoin-blocked`: the standby holds WAL that the primary does not have.
 */
export type PairState =
  | 'healthy'
  | 'degraded'
  | 'primary-lost'
  | 'standby-lost'
  | 'no-primary'
  | 'dark'
  | 'split-brain'
  | 'usurped'
  | 'foreign'
  | 'rejoin-blocked';

export interface PairVerdict {
  readonly state: PairState;
  /** Names of nodes; null where there is none, or no single one. */
  readonly primary: string | null;
  readonly standby: string | null;
  readonly findings: readonly Finding[];
  /** Which change of roles may begin now, automatically or with the approvals that the findings ask for. */
  readonly mayBegin: 'graceful' | 'ungraceful' | 'none';
}

/** The change of roles, unless a finding stops it. */
export function allow(wanted: 'graceful' | 'ungraceful', findings: readonly Finding[]): PairVerdict['mayBegin'] {
  return findings.some(({ weight }) => weight === 'stops') ? 'none' : wanted;
}

/** A state in which nothing begins by itself. */
export function nothing(state: PairState, ...findings: readonly Finding[]): PairVerdict {
  return { state, primary: null, standby: null, findings, mayBegin: 'none' };
}
