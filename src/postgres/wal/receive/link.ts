import { LifeboatError } from '../../../domain/errors.ts';
import { openSession, type Session } from '../../connection/session.ts';
import { identify } from '../identify.ts';
import { isLost, readSlot, RECEIVER_NAME, slotState } from '../slots.ts';
import { fromWalError } from '../wal-errors.ts';
import type { ReceiveWal, WalIdentity } from '../wal.ts';
import { openReplication, type ReplicationSession } from './replication-session.ts';
import { readServerClock, type ClockReading } from './server-clock.ts';

export const DOING = 'receive wal';

/** The two connections of a reception: WAL comes on one, the other is asked for the server's clock. */
export interface Link {
  readonly session: Session;
  readonly replication: ReplicationSession;
  readonly server: WalIdentity;
  readonly clock: ClockReading;
  close(): Promise<void>;
}

/** @throws LifeboatError JOURNAL_SLOT_LOST, and what connections throw */
export async function openLink({ target, slot }: ReceiveWal, signal: AbortSignal): Promise<Link> {
  signal.throwIfAborted();
  const request = { doing: DOING, applicationName: RECEIVER_NAME };
  const session = await openSession(target, request);
  let replication: ReplicationSession | undefined;
  const close = async (): Promise<void> => {
    await Promise.all([session.end(), replication?.end()]);
  };
  try {
    if (slot !== null && isLost(await slotState(session, slot))) throw slotLost(slot);
    replication = await openReplication(target, request);
    const server = await identify(session, replication, DOING);
    const clock = await readServerClock(session);
    signal.throwIfAborted();
    return { session, replication, server, clock, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A server that takes a slot's WAL away ends its receiver like any session: the slot itself says what happened. */
export async function explainEnd({ target, slot }: ReceiveWal, error: unknown): Promise<LifeboatError> {
  const ours = fromWalError(DOING, error);
  if (slot === null || !ENDS_OF_A_SLOT.has(ours.code)) return ours;
  try {
    return isLost(await readSlot(target, slot)) ? slotLost(slot, ours) : ours;
  } catch {
    return ours; // The server does not answer: how the stream ended is all that is known.
  }
}

const ENDS_OF_A_SLOT = new Set(['POSTGRES_CONNECTION_LOST', 'JOURNAL_WAL_REMOVED', 'POSTGRES_QUERY_FAILED']);

function slotLost(slot: string, cause?: LifeboatError): LifeboatError {
  const message = `${DOING}: replication slot ${slot} does not exist, or the server has given up its wal`;
  return new LifeboatError('JOURNAL_SLOT_LOST', message, cause === undefined ? {} : { cause });
}
