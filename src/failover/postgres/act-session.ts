import { LifeboatError } from '../../domain/errors.ts';
import { withSession, type Session } from '../../postgres/connection/session.ts';
import type { PostgresNode } from './node.ts';

/** Longer than any act takes that is not waited for in steps: a CHECKPOINT writes what 128 MB of buffers and more hold. */
const ACT_TIMEOUT_MS = 300_000;

/**
 * A session for an act. Its commits wait for no standby: after a change of roles synchronous_standby_names may name the server that is gone.
 * The bound is ours, because no statement_timeout ends such a wait.
 */
export async function withActSession<T>(
  node: PostgresNode,
  request: { readonly doing: string; readonly signal: AbortSignal },
  act: (session: Session) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(ACT_TIMEOUT_MS);
  const { doing } = request;
  const settings = { doing, applicationName: 'lifeboat failover', signal: AbortSignal.any([request.signal, timeout]) };
  try {
    return await withSession(node.target, settings, async (session) => {
      await session.query("SELECT set_config('synchronous_commit', 'local', false)");
      return act(session);
    });
  } catch (error) {
    request.signal.throwIfAborted();
    if (!timeout.aborted) throw error;
    const what = `${node.name} was not done after ${ACT_TIMEOUT_MS / 1_000} s`;
    throw new LifeboatError('FAILOVER_NOT_READY', `${doing}: ${what}`, { cause: error });
  }
}
