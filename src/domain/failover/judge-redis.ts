import type { Finding, PairLimits } from './finding.ts';
import { allow, nothing, type PairVerdict } from './pair-verdict.ts';
import { divergedBytes } from './redis-divergence.ts';
import { redisFindings } from './redis-findings.ts';
import type { RedisNodeView, RedisView } from './redis-view.ts';

export interface RedisQuestion {
  /** In any order: what comes out is the same. */
  readonly nodes: readonly [RedisNodeView, RedisNodeView];
  readonly limits: PairLimits;
  readonly authorized?: string;
}

/** As `judgePostgresPair`: two masters are split where one comes from the other, and foreign where they share no history. */
export function judgeRedisPair(question: RedisQuestion): PairVerdict {
  const [first, second] = question.nodes.filter((node) => node.answers);
  if (first === undefined) return nothing('dark');
  if (second === undefined) return judgeAlone(question, first);
  if (!isRelated(first, second)) return nothing('foreign', foreign(first, second));
  return judgeBoth(question, [first, second]);
}

function judgeAlone(question: RedisQuestion, node: RedisView): PairVerdict {
  if (node.role === 'master') {
    if (isUsurper(question, node)) return { ...nothing('usurped', usurped(node)), primary: node.node };
    return { ...nothing('standby-lost'), primary: node.node };
  }
  const findings = redisFindings({ replica: node, ...question });
  const mayBegin = allow('ungraceful', findings);
  return { state: 'primary-lost', primary: null, standby: node.node, findings, mayBegin };
}

function judgeBoth(question: RedisQuestion, pair: readonly [RedisView, RedisView]): PairVerdict {
  const masters = pair.filter(({ role }) => role === 'master');
  const [master] = masters;
  if (masters.length === 2) return nothing('split-brain', splitBrain(pair));
  if (master === undefined) return { ...nothing('no-primary'), mayBegin: 'ungraceful' };
  const replica = pair[0] === master ? pair[1] : pair[0];
  const named = { primary: master.node, standby: replica.node };
  if (isUsurper(question, master)) return { ...nothing('usurped', usurped(master)), ...named };
  const findings = redisFindings({ master, replica, ...question });
  const state = findings.length === 0 ? 'healthy' : 'degraded';
  return { state, ...named, findings, mayBegin: allow('graceful', findings) };
}

/** A replica that still takes its first copy has no history in common yet; it cannot be promoted anyway. */
function isRelated(first: RedisView, second: RedisView): boolean {
  if ([first, second].some(({ role, loading }) => role === 'replica' && loading)) return true;
  return divergedBytes(first, second) !== null || divergedBytes(second, first) !== null;
}

function isUsurper({ authorized }: RedisQuestion, master: RedisView): boolean {
  return authorized !== undefined && authorized !== master.node;
}

function foreign(first: RedisView, second: RedisView): Finding {
  const each = [first, second].map(({ node, replid }) => `${node} is of ${replid}`).toSorted();
  return { name: 'foreign', weight: 'stops', message: `two histories: ${each.join(', ')}` };
}

function splitBrain(pair: readonly RedisView[]): Finding {
  const each = pair.map(({ node, replid, offset }) => `${node} at ${offset} of ${replid}`).toSorted();
  return { name: 'split-brain', weight: 'stops', message: `both take writes: ${each.join(', ')}` };
}

function usurped({ node, offset }: RedisView): Finding {
  return {
    name: 'usurped',
    weight: 'stops',
    message: `${node} takes writes at ${offset}, but does not hold the authority`,
  };
}
