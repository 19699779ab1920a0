import { LifeboatError, type ErrorCode } from '../../domain/errors.ts';
import { divergedBytes } from '../../domain/failover/redis-divergence.ts';
import type { RedisView } from '../../domain/failover/redis-view.ts';
import type { Mandate } from '../epoch.ts';
import type { RedisNode } from './node.ts';
import { observeRedis } from './observe.ts';

/** What every act on a pair is given. */
export interface RedisAct {
  readonly mandate: Mandate;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** @throws LifeboatError FAILOVER_NOT_READY where it does not answer */
export async function requireAnswer(node: RedisNode, doing: string, signal: AbortSignal): Promise<RedisView> {
  const view = await observeRedis(node, signal);
  if (view.answers) return view;
  throw actError('FAILOVER_NOT_READY', doing, `${node.name} does not answer: ${view.reason}`);
}

export function actError(code: ErrorCode, doing: string, what: string): LifeboatError {
  return new LifeboatError(code, `${doing}: ${what}`);
}

/** A master that refuses writes for want of replicas is none. @throws LifeboatError FAILOVER_NOT_PROMOTED */
export function requireWritable(view: RedisView, doing: string): void {
  if (view.role !== 'master') throw actError('FAILOVER_NOT_PROMOTED', doing, `${view.node} is still a replica`);
  if (!view.refusesWrites) return;
  const what = `${view.node} refuses writes: min-replicas-to-write is set, and it has no good replica`;
  throw actError('FAILOVER_NOT_PROMOTED', doing, what);
}

/** For messages: what only the old master has. */
export function describeDivergence(old: RedisView, present: RedisView): string {
  const bytes = divergedBytes(old, present);
  return bytes === null
    ? `${old.node} and ${present.node} share no history`
    : `${bytes} bytes are on ${old.node} alone`;
}
