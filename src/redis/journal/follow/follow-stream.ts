import type { LifeboatError } from '../../../domain/errors.ts';
import type { RedisStreamState } from '../../../domain/journal.ts';
import type { Operation } from '../../../domain/operation.ts';
import { abortError } from '../../connect.ts';
import { passSnapshot } from '../../export-snapshot.ts';
import type { SnapshotSink } from '../../redis.ts';
import type { FollowStream, StreamEvent, StreamReception } from '../journal.ts';
import { createBell } from './bell.ts';
import { ASK_AGAIN_MS, createPositionProbe, type ServerPosition } from './position-probe.ts';
import type { Cut, SpanList } from './span-list.ts';
import { openStreamLink, type StreamLink } from './stream-link.ts';

/** A chunk is given when so many bytes are there, however young they are. */
const CHUNK_BYTES = 4 * 1024 ** 2;
/** After a stall of the reader a chunk covers at most this time: its marks get coarse with it (256 at most). */
const CHUNK_SPAN_MS = 30_000;

interface FollowContext {
  readonly sink: SnapshotSink;
  readonly operation: Operation;
}

/**
 * Follows a server as a replica does, over one connection: it ends with an error when the link is lost, after all that
 * had come was given; the caller goes on with a new call. Read it once.
 */
export function followStream(request: FollowStream, context: FollowContext): StreamReception {
  let confirmed: number | undefined;
  return {
    confirm(offset) {
      confirmed = Math.max(confirmed ?? 0, offset);
    },
    [Symbol.asyncIterator]: () => receive(request, context, () => confirmed),
  };
}

async function* receive(
  request: FollowStream,
  context: FollowContext,
  confirmed: () => number | undefined,
): AsyncGenerator<StreamEvent, void, undefined> {
  const bell = createBell();
  const link = await openStreamLink(request, { operation: context.operation, bell, confirmed });
  const onAbort = (): void => link.intake.fail(abortError(context.operation.signal, 'follow redis stream'));
  context.operation.signal.addEventListener('abort', onAbort, { once: true });
  let position: ServerPosition | undefined;
  const probe = createPositionProbe(request.target, link.replid, (found) => {
    position = found;
    bell.ring();
  });
  try {
    let state: RedisStreamState = request.resume?.state ?? { database: 0, insideMulti: false, unfinishedBytes: 0 };
    if (link.answer.kind === 'continue') {
      yield { event: 'continued', replid: link.replid, offset: request.resume!.offset };
    } else {
      const taken = await takeSnapshot(link, context);
      state = { database: taken.streamDatabase, insideMulti: false, unfinishedBytes: 0 };
      yield { event: 'resynced', facts: taken.facts, reason: reasonOf(request, link) };
    }

    const { spans } = link.intake;
    let lastEventMs = Date.now();
    let knownMs = 0;
    while (isLeft(request, spans, knownMs)) {
      const cut = isDue(request, spans, link.intake.failure) ? spans.next(LIMITS) : undefined;
      if (cut !== undefined) {
        const chunk = await chunkOf(link, cut, state.database);
        state = chunk.state;
        knownMs = chunk.toMs;
        yield chunk;
        lastEventMs = Date.now();
      } else if (link.intake.failure !== undefined) {
        throw link.intake.failure;
      } else if (position !== undefined && position.offset <= spans.given) {
        const { timeMs } = position;
        position = undefined;
        const isNews = timeMs > knownMs;
        knownMs = Math.max(knownMs, timeMs);
        // Asked before the last chunk came: nothing new.
        yield* isNews ? [{ event: 'time', offset: spans.given, timeMs, state } as const] : [];
        lastEventMs = isNews ? Date.now() : lastEventMs;
      } else {
        const isTimeLeft = !isLeft(request, spans, Infinity);
        probe.ask(isTimeLeft ? 0 : lastEventMs + request.flushMs);
        await bell.wait(isTimeLeft ? ASK_AGAIN_MS : untilNext(request, spans, lastEventMs));
      }
    }
  } finally {
    context.operation.signal.removeEventListener('abort', onAbort);
    probe.close();
    await link.close();
  }
}

const LIMITS = { bytes: CHUNK_BYTES, spanMs: CHUNK_SPAN_MS };

async function takeSnapshot(
  link: StreamLink,
  context: FollowContext,
): Promise<Awaited<ReturnType<typeof passSnapshot>>> {
  const { answer, intake, replid } = link;
  const offset = answer.kind === 'full' ? answer.offset : 0;
  return await passSnapshot({ replid, offset, snapshotAt: new Date(), rdb: intake.snapshot() }, context);
}

function isLeft({ until, untilMs = 0 }: FollowStream, spans: SpanList, knownMs: number): boolean {
  return until === undefined || spans.given < until || knownMs < untilMs;
}

/** Old enough, large enough, or the last there will be. */
function isDue({ flushMs, until }: FollowStream, spans: SpanList, failure: LifeboatError | undefined): boolean {
  const since = spans.waitingSinceMs;
  if (since === undefined) return false;
  if (failure !== undefined || Date.now() - since >= flushMs) return true;
  return spans.received - spans.given >= CHUNK_BYTES || (until !== undefined && spans.received >= until);
}

/** The beginning of a command alone is not due before its end has come, which rings. */
function untilNext({ flushMs }: FollowStream, spans: SpanList, lastEventMs: number): number {
  const since = spans.waitingSinceMs ?? lastEventMs;
  const left = since + flushMs - Date.now();
  return left > 0 ? left : flushMs;
}

async function chunkOf(
  link: StreamLink,
  cut: Cut,
  database: number,
): Promise<Extract<StreamEvent, { event: 'chunk' }>> {
  const { from, to, fromMs, toMs, marks, state } = cut;
  link.intake.spans.give(cut);
  const bytes = await link.intake.take(to - from);
  return {
    event: 'chunk',
    from,
    to,
    bytes,
    fromMs,
    toMs,
    marks,
    state: { ...state, database: state.database ?? database },
  };
}

function reasonOf({ resume }: FollowStream, { replid }: StreamLink): string {
  if (resume === null) return 'asked for a snapshot';
  if (resume.replid === replid) return `the server no longer holds its stream from offset ${resume.offset} on`;
  return `the server has another history than ${resume.replid}, or left it before offset ${resume.offset}`;
}
