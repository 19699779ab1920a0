import { LifeboatError } from '../../domain/errors.ts';
import type { Session } from '../connection/session.ts';
import { withSession } from '../connection/session.ts';
import type { PostgresTarget } from '../postgres.ts';
import { openReplication, type ReplicationSession } from './receive/replication-session.ts';
import { RECEIVER_NAME } from './slots.ts';
import { fromWalError } from './wal-errors.ts';
import type { WalIdentity } from './wal.ts';

const FACTS = `
  SELECT current_setting('server_version_num')::int AS "serverVersion", pg_is_in_recovery() AS "inRecovery",
    (SELECT setting::int8::text FROM pg_settings WHERE name = 'wal_segment_size') AS "walSegmentBytes"`;

/** Needs both: SQL is not spoken on a connection of physical replication, and the system identifier not everywhere in SQL. */
export async function identify(
  session: Session,
  replication: ReplicationSession,
  doing = 'identify the server',
): Promise<WalIdentity> {
  const facts = await session.one<Pick<WalIdentity, 'serverVersion' | 'inRecovery'> & { walSegmentBytes: string }>(
    FACTS,
  );
  const [row] = await replication.command('IDENTIFY_SYSTEM').catch((error: unknown) => {
    throw fromWalError(doing, error);
  });
  const [systemIdentifier, timeline, lsn] = row ?? [];
  if (typeof systemIdentifier !== 'string' || typeof timeline !== 'string' || typeof lsn !== 'string') {
    throw new LifeboatError('POSTGRES_QUERY_FAILED', `${doing}: IDENTIFY_SYSTEM gave no identity`);
  }
  return {
    ...facts,
    systemIdentifier,
    timeline: Number(timeline),
    lsn,
    walSegmentBytes: Number(facts.walSegmentBytes),
  };
}

export async function identifyServer(target: PostgresTarget): Promise<WalIdentity> {
  const doing = 'identify the server';
  return withSession(target, { doing }, async (session) => {
    const replication = await openReplication(target, { doing, applicationName: RECEIVER_NAME });
    try {
      return await identify(session, replication);
    } finally {
      await replication.end();
    }
  });
}
