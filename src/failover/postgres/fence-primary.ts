import { LifeboatError } from '../../domain/errors.ts';
import type { FenceProof } from '../../domain/failover/fenced-primary.ts';
import { inspectHost, type HostState } from '../host/inspect-host.ts';
import { runOnHost } from '../host/run-on-host.ts';
import type { Mandate } from '../epoch.ts';
import { withActSession } from './act-session.ts';
import type { PostgresNode } from './node.ts';
import { observePostgres } from './observe.ts';

export interface FencePrimary {
  readonly primary: PostgresNode;
  /** Of the service; another data directory is left alone. */
  readonly systemIdentifier: string;
  readonly mandate: Mandate;
  readonly signal: AbortSignal;
}

/**
 * Stops the server and puts standby.signal into its data directory; what is done already is not done again. A server that was
 * found dead is fenced as it is. Sessions are ended first, so that the shutdown waits for nobody.
 * @throws LifeboatError FAILOVER_FOREIGN_STANDBY, FAILOVER_NOT_READY (it is a standby), FAILOVER_NOT_STOPPED, FAILOVER_NOT_FENCED,
 *   FAILOVER_EPOCH_STALE, FAILOVER_COMMAND_FAILED
 */
export async function fencePrimary(request: FencePrimary): Promise<FenceProof> {
  const { primary, signal } = request;
  let state = await look(request);
  if (state.running) {
    await stop(request);
    state = await look(request);
  }
  if (state.running) throw notStopped(primary, 'it runs again, or still');
  // The fence on disk comes before everything else: from here on a start by anybody brings back a standby.
  if (!state.fenced) {
    const doing = `fence ${primary.name}`;
    await request.mandate.require(doing);
    await runOnHost({ doing, host: primary.host, verb: 'fence', signal });
    state = await look(request);
  }
  if (state.running) throw notStopped(primary, 'it was started while it was fenced');
  if (!state.fenced)
    throw new LifeboatError('FAILOVER_NOT_FENCED', `fence ${primary.name}: no standby.signal is there`);
  const { systemIdentifier, timeline, checkpointLsn } = state;
  const kind = state.clusterState === 'shut down' ? 'clean' : 'crashed';
  return { kind, node: primary.name, systemIdentifier, timeline, checkpointLsn };
}

async function look({ primary, systemIdentifier, signal }: FencePrimary): Promise<HostState> {
  const state = await inspectHost(primary, signal);
  if (state.systemIdentifier === systemIdentifier) return state;
  throw new LifeboatError(
    'FAILOVER_FOREIGN_STANDBY',
    `fence ${primary.name}: its data directory is of ${state.systemIdentifier}, the service is ${systemIdentifier}`,
  );
}

async function stop(request: FencePrimary): Promise<void> {
  const { primary, mandate, signal } = request;
  const view = await observePostgres(primary, signal);
  if (view.answers && view.inRecovery) {
    // Late repetition: it follows somebody already, and a stop would take the only copy away.
    throw new LifeboatError(
      'FAILOVER_NOT_READY',
      `fence ${primary.name}: it is a standby, and no primary to be stopped`,
    );
  }
  const doing = `stop ${primary.name}`;
  await mandate.require(doing);
  if (view.answers) await endSessions(primary, { doing, signal });
  await runOnHost({ doing, host: primary.host, verb: 'stop', signal });
}

/** Clients first, then what they wrote: the shutdown has little left to do, and the pause of the writers is short. */
async function endSessions(
  primary: PostgresNode,
  request: { readonly doing: string; readonly signal: AbortSignal },
): Promise<void> {
  await withActSession(primary, request, async (session) => {
    await session.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    );
    await session.query('CHECKPOINT');
  });
}

function notStopped({ name }: PostgresNode, how: string): LifeboatError {
  return new LifeboatError('FAILOVER_NOT_STOPPED', `stop ${name}: ${how}`);
}
