import { lsnOf } from '../lsn.ts';
import { isReachable } from '../timeline.ts';
import type { Finding, PairLimits } from './finding.ts';
import { findingsOf } from './postgres-findings.ts';
import { allow, nothing, type PairVerdict } from './pair-verdict.ts';
import type { NodeView, PostgresView } from './postgres-view.ts';

export interface PairQuestion {
  /** In any order: what comes out is the same. */
  readonly nodes: readonly [NodeView, NodeView];
  readonly limits: PairLimits;
  /** Node that the authority names; absent before one was ever taken. */
  readonly authorized?: string;
  /** The primary when it last answered, for judging a standby without one. */
  readonly lastPrimaryLsn?: string;
  /** Of the standby, where its host was asked: `HostState.freeBytes`, or why it did not say. */
  readonly standbyFreeBytes?: number | { readonly unknown: string };
}

export function judgePostgresPair(question: PairQuestion): PairVerdict {
  const answering = question.nodes.filter((node) => node.answers);
  const [first, second] = answering;
  if (first === undefined) return nothing('dark');
  if (second === undefined) return judgeAlone(question, first);
  return first.systemIdentifier === second.systemIdentifier
    ? judgeBoth(question, [first, second])
    : nothing('foreign', foreign(first, second));
}

function judgeAlone(question: PairQuestion, node: PostgresView): PairVerdict {
  if (!node.inRecovery) {
    if (isUsurper(question, node)) return { ...nothing('usurped', usurped(node)), primary: node.node };
    return { ...nothing('standby-lost'), primary: node.node };
  }
  const findings = findingsOf({ standby: node, ...question });
  return {
    state: 'primary-lost',
    primary: null,
    standby: node.node,
    findings,
    mayBegin: allow('ungraceful', findings),
  };
}

function judgeBoth(question: PairQuestion, pair: readonly [PostgresView, PostgresView]): PairVerdict {
  const primaries = pair.filter((node) => !node.inRecovery);
  const [primary] = primaries;
  if (primaries.length === 2) return nothing('split-brain', splitBrain(pair));
  if (primary === undefined) return { ...nothing('no-primary'), mayBegin: 'ungraceful' };
  const standby = pair[0] === primary ? pair[1] : pair[0];
  const named = { primary: primary.node, standby: standby.node };
  if (isUsurper(question, primary)) return { ...nothing('usurped', usurped(primary)), ...named };
  const ahead = divergence(primary, standby);
  if (ahead !== undefined) return { ...nothing('rejoin-blocked', ahead), ...named };
  const findings = findingsOf({ primary, standby, ...question });
  const state = findings.length === 0 ? 'healthy' : 'degraded';
  return { state, ...named, findings, mayBegin: allow('graceful', findings) };
}

function isUsurper({ authorized }: PairQuestion, primary: PostgresView): boolean {
  return authorized !== undefined && authorized !== primary.node;
}

/** A standby on a timeline that the primary never was on, or beyond the place where the primary left it. */
function divergence(primary: PostgresView, standby: PostgresView): Finding | undefined {
  const history = primary.history ?? { timeline: primary.timeline, ancestors: [] };
  if (isReachable(history, { timeline: standby.timeline, lsn: lsnOf(standby.lsn) })) return undefined;
  return {
    name: 'diverged',
    weight: 'stops',
    message: `${standby.node} is at ${standby.lsn} of timeline ${standby.timeline}, which ${primary.node} on timeline ${primary.timeline} does not have`,
  };
}

function foreign(first: PostgresView, second: PostgresView): Finding {
  const each = [first, second].map(({ node, systemIdentifier }) => `${node} is ${systemIdentifier}`).toSorted();
  return { name: 'foreign', weight: 'stops', message: `two clusters: ${each.join(', ')}` };
}

function splitBrain(pair: readonly PostgresView[]): Finding {
  const each = pair.map(({ node, timeline, lsn }) => `${node} on timeline ${timeline} at ${lsn}`).toSorted();
  return { name: 'split-brain', weight: 'stops', message: `both take writes: ${each.join(', ')}` };
}

function usurped({ node, timeline }: PostgresView): Finding {
  const message = `${node} takes writes on timeline ${timeline}, but does not hold the authority`;
  return { name: 'usurped', weight: 'stops', message };
}
