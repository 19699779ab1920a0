import type { Socket } from 'node:net';
import { LifeboatError, messageOf } from '../../../domain/errors.ts';
import type { Operation } from '../../../domain/operation.ts';
import { abortError } from '../../connect.ts';
import type { RedisTarget } from '../../redis.ts';
import { introduce } from '../../replication/full-sync.ts';
import { encodeCommands } from '../../resp.ts';
import { openRedisSocket } from '../../socket.ts';
import type { FollowStream, StreamPosition } from '../journal.ts';
import type { Bell } from './bell.ts';
import { Intake } from './intake.ts';
import type { PsyncAnswer } from './replica-protocol.ts';

/** Redis drops a replica that says nothing for `repl-timeout` (60 s), and itself sends an ACK every second. */
const ACK_MS = 1_000;
/** A diskless snapshot may end a moment before the server is ready for our first ACK, without which it sends nothing. */
const SECOND_ACK_MS = 150;
/** A server that changes its history between our two questions is asked again, so often. */
const ATTEMPTS_MAX = 3;

/** One connection to a server that we replicate from. */
export interface StreamLink {
  /** Where it is; the replid is that of the server now. */
  readonly answer: PsyncAnswer;
  readonly replid: string;
  readonly intake: Intake;
  close(): Promise<void>;
}

export interface LinkContext {
  readonly operation: Operation;
  readonly bell: Bell;
  /** Offset up to which everything is durable; acknowledged once a second. Undefined: that of the start. */
  readonly confirmed: () => number | undefined;
}

/**
 * Connects as a replica and asks to go on at a position, or for a snapshot. In the middle of a command it is asked for
 * from its beginning, since its frame must be known; before that the server has to agree to the very position, for
 * what lies between could otherwise be of another history.
 */
export async function openStreamLink(request: FollowStream, context: LinkContext): Promise<StreamLink> {
  const { target, resume } = request;
  if (resume === null || resume.state.unfinishedBytes === 0) return await connect(request, context, resume);
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const exact = await connect(request, context, { ...resume, state: { ...resume.state, unfinishedBytes: 0 } });
    if (exact.answer.kind === 'full') return exact;
    await exact.close();
    const link = await connect(request, context, resume);
    if (link.answer.kind === 'full' || link.replid === exact.replid) return link;
    await link.close();
  }
  throw new LifeboatError('REDIS_NOT_READY', `replicate from redis ${target.host}: its history keeps changing`);
}

async function connect(
  request: FollowStream,
  context: LinkContext,
  resume: StreamPosition | null,
): Promise<StreamLink> {
  const { signal } = context.operation;
  const { socket, name } = await openReplicaSocket(request.target, signal);
  const acks = createAcknowledger(socket, context.confirmed);
  const intake = new Intake({
    ...context,
    socket,
    name,
    resume,
    spill: request.spill,
    until: request.until ?? Infinity,
    signal,
    onAckWanted: acks.now,
    toError: (cause) => linkError(name, signal, cause),
  });
  const close = async (): Promise<void> => {
    acks.stop();
    await intake.close();
  };
  try {
    // The server counts its bytes from 1, we from 0.
    const first = resume === null ? ['?', -1] : [resume.replid, resume.offset - resume.state.unfinishedBytes + 1];
    socket.write(Buffer.concat(encodeCommands([['PSYNC', ...first]])));
    const answer = await intake.answer();
    acks.start(answer.kind === 'full' ? answer.offset : resume!.offset);
    return { answer, replid: answer.replid ?? resume!.replid, intake, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openReplicaSocket(
  target: RedisTarget,
  signal: AbortSignal,
): Promise<{ readonly socket: Socket; readonly name: string }> {
  const redis = await openRedisSocket(target, { signal });
  try {
    await introduce(redis);
    return { socket: redis.detach(), name: redis.name };
  } catch (error) {
    redis.close();
    throw error;
  }
}

function linkError(name: string, signal: AbortSignal, cause: unknown): LifeboatError {
  const doing = `replicate from redis ${name}`;
  if (signal.aborted) return abortError(signal, doing);
  const what = cause === undefined ? 'connection closed by the server' : messageOf(cause);
  return new LifeboatError('REDIS_CONNECTION_LOST', `${doing}: ${what}`, { cause });
}

/**
 * Tells the server what is durable, by a clock of its own: a store that is slow must not make the link look dead. Old
 * offsets keep it alive as well as new ones, and WAIT counts only what is really stored.
 */
function createAcknowledger(
  socket: Socket,
  confirmed: () => number | undefined,
): { start(offset: number): void; now(): void; stop(): void } {
  let start: number | undefined;
  let timers: NodeJS.Timeout[] = [];
  const now = (): void => {
    const offset = Math.max(confirmed() ?? 0, start ?? 0);
    if (start !== undefined && socket.writable) {
      socket.write(Buffer.concat(encodeCommands([['REPLCONF', 'ACK', offset]])));
    }
  };
  return {
    start(offset) {
      start = offset;
      now();
      timers = [setInterval(now, ACK_MS)];
    },
    now() {
      now();
      timers.push(setTimeout(now, SECOND_ACK_MS));
    },
    stop: () => timers.forEach(clearInterval),
  };
}
