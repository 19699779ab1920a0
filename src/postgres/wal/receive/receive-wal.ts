import { LifeboatError } from '../../../domain/errors.ts';
import { formatLsn, lsnOf, type Lsn } from '../../../domain/lsn.ts';
import type { Operation } from '../../../domain/operation.ts';
import { quoteIdentifier } from '../../connection/quoting.ts';
import type { ReceiveWal, WalEvent, WalReception } from '../wal.ts';
import { startHeartbeat } from './heartbeat.ts';
import { createKnownTime, type KnownTime } from './known-time.ts';
import { DOING, explainEnd, openLink, type Link } from './link.ts';
import { createPageCheck } from './page-check.ts';
import { createPastCheck } from './past-check.ts';
import { firstPlace, nextPlace, type Place } from './place.ts';
import type { TextRow } from './replication-session.ts';
import { startTicks } from './ticks.ts';
import { TimelineStream } from './timeline-stream.ts';

/** What the consumer has been given, and what it has confirmed. */
interface Confirmation {
  confirmed: Lsn;
  given: Lsn;
  tell(): void;
}

interface Reception extends Link {
  readonly request: ReceiveWal;
  readonly operation: Operation;
  readonly known: KnownTime;
  readonly until: Lsn | undefined;
  readonly confirmation: Confirmation;
}

/** See `Wal.receive`. Nothing is opened before the first event is asked for. */
export function receiveWal(request: ReceiveWal, operation: Operation): WalReception {
  const confirmation: Confirmation = { confirmed: 0n, given: lsnOf(request.from.lsn), tell: () => undefined };
  return {
    confirm(lsn) {
      const position = lsnOf(lsn);
      if (position > confirmation.given) throw new RangeError(`${lsn} cannot be durable: it was not given yet`);
      if (position <= confirmation.confirmed) return;
      confirmation.confirmed = position;
      confirmation.tell();
    },
    [Symbol.asyncIterator]: () => receive(request, operation, confirmation),
  };
}

async function* receive(
  request: ReceiveWal,
  operation: Operation,
  confirmation: Confirmation,
): AsyncGenerator<WalEvent, void, undefined> {
  const link = await openLink(request, operation.signal);
  const onAbort = (): void => link.replication.destroy();
  operation.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const known = createKnownTime(request.from.timeMs ?? 0);
    known.sample({ timeMs: link.clock.timeMs, lsn: link.clock.flushed });
    const until = request.until === undefined ? undefined : lsnOf(request.until);
    yield* receiveTimelines({ ...link, request, operation, known, until, confirmation });
  } catch (error) {
    operation.signal.throwIfAborted();
    throw await explainEnd(request, error);
  } finally {
    confirmation.tell = () => undefined;
    operation.signal.removeEventListener('abort', onAbort);
    await link.close();
  }
}

async function* receiveTimelines(reception: Reception): AsyncGenerator<WalEvent, void, undefined> {
  const { request, server, replication, until, known } = reception;
  let place = await firstPlace(request, server, replication);
  if (until !== undefined && until <= place.giveFrom) return;
  for (;;) {
    const { timeline } = place.history;
    const { historyFile } = place;
    if (historyFile !== undefined) yield { event: 'history', timeline, content: historyFile, timeMs: known.ms };
    const end = yield* receiveTimeline(reception, place);
    if (end === null) return;
    const next = Number(end.rows[0]?.[0] ?? 0);
    if (next <= timeline) throw new LifeboatError('POSTGRES_CONNECTION_LOST', `${DOING}: the server ended the stream`);
    yield { event: 'timeline', from: timeline, to: next, lsn: formatLsn(end.received) };
    const segmentBytes = server.walSegmentBytes;
    place = await nextPlace(replication, { timeline, received: end.received, next, segmentBytes });
  }
}

/** @returns where and with which rows the server ended the timeline; null when all before `until` was given */
async function* receiveTimeline(
  reception: Reception,
  place: Place,
): AsyncGenerator<WalEvent, { readonly rows: readonly TextRow[]; readonly received: Lsn } | null, undefined> {
  const { request, replication, server, session, known, until, confirmation, operation } = reception;
  const { systemIdentifier, walSegmentBytes: segmentBytes } = server;
  const { history } = place;
  const { timeline } = history;
  const pages = createPageCheck({ systemIdentifier, segmentBytes, history });
  const { past } = request.expect;
  const isOurs = past === undefined ? undefined : createPastCheck(past);
  const stream = new TimelineStream({ ...place, timeline, segmentBytes, pages, known, until, isOurs });
  const exchange = replication.exchange(startCommand(request.slot, place), (payload) => stream.onData(payload));
  // A consumer that stands still does not see the error yet: the server must not wait for it.
  const giveUp = (error: unknown): void => {
    stream.fail(error, true);
    replication.destroy();
  };
  const heartbeat = startHeartbeat({
    send: exchange.send,
    confirmed: () => confirmation.confirmed,
    isPaused: () => stream.paused,
    onSilence: giveUp,
  });
  heartbeat.setSenderTimeoutMs(reception.clock.senderTimeoutMs);
  confirmation.tell = heartbeat.tell;
  const ticks = startTicks({ session, flushMs: request.flushMs, stream, heartbeat, known, onLost: giveUp });
  const onAbort = (): void => stream.fail(operation.signal.reason, false);
  operation.signal.addEventListener('abort', onAbort, { once: true });
  try {
    stream.attach({ exchange, heartbeat });
    for await (const event of stream.events()) {
      if (stream.blocks.given > confirmation.given) confirmation.given = stream.blocks.given;
      operation.onProgress({ phase: 'receiving wal', bytes: Number(stream.blocks.given - place.start) });
      yield event;
    }
    return stream.end === null ? null : { rows: stream.end, received: stream.blocks.received };
  } finally {
    operation.signal.removeEventListener('abort', onAbort);
    ticks.stop();
    heartbeat.stop();
  }
}

function startCommand(slot: string | null, { start, history }: Place): string {
  const holder = slot === null ? '' : `SLOT ${quoteIdentifier(slot)} `;
  return `START_REPLICATION ${holder}PHYSICAL ${formatLsn(start)} TIMELINE ${history.timeline}`;
}
