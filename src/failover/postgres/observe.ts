import type {
  NodeView,
  PostgresReceiver,
  PostgresSender,
  PostgresSlot,
  PostgresView,
} from '../../domain/failover/postgres-view.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { parseTimelineHistory, type TimelineHistory } from '../../domain/timeline.ts';
import { withSession } from '../../postgres/connection/session.ts';
import { identify } from '../../postgres/wal/identify.ts';
import { openReplication, type ReplicationSession } from '../../postgres/wal/receive/replication-session.ts';
import { silentOr } from '../silent-or.ts';
import type { PostgresNode } from './node.ts';
import { VIEW } from './observe-sql.ts';

/** A server that lets nobody in for so long does not answer. */
const CONNECT_TIMEOUT_MS = 2_000;
/** All questions are answered from memory: a server that needs longer is stuck. A statement_timeout would not hold everywhere. */
const ANSWER_TIMEOUT_MS = 10_000;
const APPLICATION_NAME = 'lifeboat failover';

/** Not there, or not ready: what a dead server looks like. Everything else (a wrong password) is an error of the question. */
const SILENT: readonly string[] = ['POSTGRES_UNREACHABLE', 'POSTGRES_CONNECTION_LOST', 'POSTGRES_STARTING'];

type Row = Pick<
  PostgresView,
  'replayedLsn' | 'replayPaused' | 'replayedAgeSeconds' | 'archiverFailing' | 'baseBackupsRunning' | 'rewindable'
> & {
  readonly lsn: string;
  readonly receiver: PostgresReceiver | null;
  readonly senders: readonly PostgresSender[];
  readonly slots: readonly PostgresSlot[];
};

/**
 * One server as it describes itself; a silent one with the reason. Nothing is changed. Takes 12 s at most for a server that is gone.
 * @throws LifeboatError POSTGRES_AUTH_FAILED, POSTGRES_RIGHTS_MISSING and the like
 */
export async function observePostgres(
  node: Pick<PostgresNode, 'name' | 'target'>,
  signal: AbortSignal,
): Promise<NodeView> {
  const bound = { limitMs: ANSWER_TIMEOUT_MS, silent: SILENT, signal };
  return silentOr(node.name, bound, (limited) => view(node, limited));
}

async function view(node: Pick<PostgresNode, 'name' | 'target'>, signal: AbortSignal): Promise<PostgresView> {
  const request = {
    doing: `look at ${node.name}`,
    applicationName: APPLICATION_NAME,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    signal,
  };
  return withSession(node.target, request, async (session) => {
    const replication = await openReplication(node.target, request);
    try {
      const identity = await identify(session, replication, request.doing);
      const { inRecovery, serverVersion, systemIdentifier, timeline } = identity;
      const history = timeline === 1 ? null : await readHistory(replication, timeline);
      const row = await session.one<Row>(VIEW);
      return { node: node.name, answers: true, inRecovery, serverVersion, systemIdentifier, timeline, history, ...row };
    } finally {
      await replication.end();
    }
  });
}

async function readHistory(replication: ReplicationSession, timeline: number): Promise<TimelineHistory> {
  const [row] = await replication.command(`TIMELINE_HISTORY ${timeline}`);
  const history = parseTimelineHistory(timeline, row?.[1] ?? '');
  if (typeof history !== 'string') return history;
  throw new LifeboatError('POSTGRES_QUERY_FAILED', `read the history of timeline ${timeline}: ${history}`);
}
