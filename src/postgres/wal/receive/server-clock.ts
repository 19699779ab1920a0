import { lsnOf, type Lsn } from '../../../domain/lsn.ts';
import type { Session } from '../../connection/session.ts';
import { FLUSHED_LSN } from '../slots.ts';

export interface ClockReading {
  readonly timeMs: number;
  /** Flushed (a standby: received or replayed) when the clock had been read already. */
  readonly flushed: Lsn;
  /** `wal_sender_timeout`, 0 for none. */
  readonly senderTimeoutMs: number;
}

/**
 * The clock first, the position second: whoever committed before that moment is below that position. Keepalives do not
 * say that: they hold what was sent, and a commit may be flushed and not yet sent.
 */
const READ_CLOCK = `
  WITH moment AS MATERIALIZED (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::int8::text AS ms)
  SELECT ms, (${FLUSHED_LSN})::text AS lsn,
    (SELECT setting FROM pg_settings WHERE name = 'wal_sender_timeout') AS "senderTimeoutMs"
  FROM moment`;

export async function readServerClock(session: Session): Promise<ClockReading> {
  const row = await session.one<{ ms: string; lsn: string | null; senderTimeoutMs: string }>(READ_CLOCK);
  return {
    timeMs: Number(row.ms),
    // A standby that has neither received nor replayed anything yet has no position.
    flushed: lsnOf(row.lsn ?? '0/0'),
    senderTimeoutMs: Number(row.senderTimeoutMs),
  };
}
