import { LifeboatError } from '../../domain/errors.ts';
import type { NodeView } from '../../domain/failover/postgres-view.ts';
import { awaitState } from '../await-state.ts';
import type { PostgresNode } from './node.ts';
import { observePostgres } from './observe.ts';

/**
 * Waits until the primary sees the standby stream under its name; a server that has started may fail to connect for ever and look well.
 * @throws LifeboatError FAILOVER_NOT_FOLLOWING
 */
export async function awaitStreaming(request: {
  readonly primary: PostgresNode;
  readonly standby: PostgresNode;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { primary, standby, signal } = request;
  const view = await awaitState(
    async () => observePostgres(primary, signal),
    (seen) => sees(seen, standby.name),
    request,
  );
  if (sees(view, standby.name)) return;
  const senders = view.answers ? view.senders.map(({ name, state }) => `${name} (${state})`).join(', ') : view.reason;
  const what = `pg_stat_replication has ${senders || 'nobody'}`;
  throw new LifeboatError('FAILOVER_NOT_FOLLOWING', `wait until ${standby.name} streams from ${primary.name}: ${what}`);
}

function sees(view: NodeView, name: string): boolean {
  return view.answers && view.senders.some((sender) => sender.name === name && sender.state === 'streaming');
}
