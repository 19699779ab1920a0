import { createHash } from 'node:crypto';
import { LifeboatError } from '../../../domain/errors.ts';
import { formatLsn, lsnOf, segmentStart, type Lsn } from '../../../domain/lsn.ts';
import { describeHistory, isReachable, parseTimelineHistory, type TimelineHistory } from '../../../domain/timeline.ts';
import { fromWalError } from '../wal-errors.ts';
import type { ReceiveWal, WalIdentity } from '../wal.ts';
import type { ReplicationSession } from './replication-session.ts';

/** Where a stream of one timeline begins. */
export interface Place {
  readonly history: TimelineHistory;
  /** The history file as the server has it; undefined for timeline 1. */
  readonly historyFile: Buffer | undefined;
  /** Start of a segment. */
  readonly start: Lsn;
  /** See BlocksRequest. */
  readonly giveFrom: Lsn;
  readonly giveBeyond: Lsn;
}

/**
 * Is this the server of the journal, and is the position in its past? Its own refusals have no codes that tell why.
 * @throws LifeboatError JOURNAL_HISTORY_MISMATCH; POSTGRES_STARTING for a standby that is behind and may still come
 */
export async function firstPlace(
  request: ReceiveWal,
  server: WalIdentity,
  replication: ReplicationSession,
): Promise<Place> {
  const { timeline, lsn: text } = request.from;
  const lsn = lsnOf(text);
  const { systemIdentifier, historyFile } = request.expect;
  if (server.systemIdentifier !== systemIdentifier) {
    throw mismatch(`the server is system ${server.systemIdentifier}, the journal of ${systemIdentifier}`);
  }
  const { history } = await readHistory(replication, server.timeline);
  if (!isReachable(history, { timeline, lsn })) {
    throw mismatch(`${text} on timeline ${timeline} is not in the server's history ${describeHistory(history)}`);
  }
  if (timeline === server.timeline && lsn > lsnOf(server.lsn)) throw ahead(server, text);
  const start = segmentStart(lsn, server.walSegmentBytes);
  const own = await readHistory(replication, timeline);
  if (historyFile !== undefined && !isFile(own.historyFile, historyFile)) {
    throw mismatch(
      `timeline ${timeline} of the server is another one than the journal's: ${describeHistory(own.history)}`,
    );
  }
  return { ...own, start, giveFrom: lsn, giveBeyond: lsn };
}

/** Two standbys that were promoted from one primary have a timeline of the same number each. */
function isFile(content: Buffer | undefined, sha256: string): boolean {
  return content !== undefined && createHash('sha256').update(content).digest('hex') === sha256;
}

/** A server whose WAL ends before what it gave once lost some of it, and will write something else there. */
function ahead(server: WalIdentity, lsn: string): LifeboatError {
  if (!server.inRecovery) return mismatch(`the server's wal ends at ${server.lsn}, the journal has it up to ${lsn}`);
  const message = `receive wal from ${lsn}: the standby is at ${server.lsn} only`;
  return new LifeboatError('POSTGRES_STARTING', message, { details: { lsn: server.lsn } });
}

/** The next timeline after the server has ended one, from the segment of the switch on: it has the past of that copied. */
export async function nextPlace(
  replication: ReplicationSession,
  ended: { readonly timeline: number; readonly received: Lsn; readonly next: number; readonly segmentBytes: number },
): Promise<Place> {
  const { timeline, received, next, segmentBytes } = ended;
  const read = await readHistory(replication, next);
  const parent = read.history.ancestors.findLast((ancestor) => ancestor.timeline === timeline);
  if (parent?.end !== received) {
    const facts = `timeline ${timeline} was received up to ${formatLsn(received)}, and timeline ${next} has the history`;
    throw mismatch(`${facts} ${describeHistory(read.history)}`);
  }
  const start = segmentStart(received, segmentBytes);
  return { ...read, start, giveFrom: start, giveBeyond: received + 1n };
}

async function readHistory(
  replication: ReplicationSession,
  timeline: number,
): Promise<Pick<Place, 'history' | 'historyFile'>> {
  if (timeline === 1) return { history: { timeline, ancestors: [] }, historyFile: undefined };
  const doing = `read the history of timeline ${timeline}`;
  const rows = await replication.command(`TIMELINE_HISTORY ${timeline}`).catch((error: unknown) => {
    throw fromWalError(doing, error);
  });
  const content = rows[0]?.[1] ?? '';
  const history = parseTimelineHistory(timeline, content);
  if (typeof history === 'string') throw mismatch(`${doing}: ${history}`);
  return { history, historyFile: Buffer.from(content) };
}

function mismatch(fact: string): LifeboatError {
  return new LifeboatError('JOURNAL_HISTORY_MISMATCH', `receive wal: ${fact}`);
}
