import type { Socket } from 'node:net';
import { LifeboatError, toLifeboatError } from '../../../domain/errors.ts';
import { SpillQueue } from '../stream/spill-queue.ts';
import { StreamFramer } from '../stream/stream-framer.ts';
import type { Bell } from './bell.ts';
import type { FollowStream, StreamPosition } from '../journal.ts';
import { type PsyncAnswer, ReplicaProtocol } from './replica-protocol.ts';
import { SpanList } from './span-list.ts';

/** A server pings its replicas every 10 s (`repl-ping-replica-period`), also while it prepares a snapshot. */
const SILENCE_MAX_MS = 60_000;
/** From here on a reader that waits for a chunk is woken. */
const CHUNK_BYTES = 4 * 1024 ** 2;
/** Pieces in which a snapshot is passed on. */
const SNAPSHOT_PIECE_BYTES = 256 * 1024;
/** A reader that waits is woken by what happens; this only bounds the wait. */
const WAIT_MS = 60_000;

export interface IntakeRequest {
  readonly socket: Socket;
  readonly name: string;
  readonly resume: StreamPosition | null;
  readonly spill: FollowStream['spill'];
  readonly bell: Bell;
  /** A reader that waits is woken when the stream has come so far. */
  readonly until: number;
  readonly signal: AbortSignal;
  /** The server asks for an ACK at once. */
  readonly onAckWanted: () => void;
  readonly toError: (cause: unknown) => LifeboatError;
}

/**
 * Takes everything a server sends as soon as it comes, whoever may be slow behind it: a snapshot and the stream lie in
 * one queue until they are asked for. Only while a snapshot is taken may a full queue make the server wait; in the
 * stream it ends the link, which can go on later where it was.
 */
export class Intake {
  readonly #request: IntakeRequest;
  readonly #queue: SpillQueue;
  #answer: PsyncAnswer | undefined;
  #framer: StreamFramer | undefined;
  #spans: SpanList | undefined;
  #snapshot: 'none' | 'coming' | 'whole' = 'none';
  /** Bytes of the snapshot in the queue. */
  #snapshotBytes = 0;
  /** Behind the last whole command. */
  #commandEnd = 0;
  #failure: LifeboatError | undefined;

  constructor(request: IntakeRequest) {
    this.#request = request;
    this.#queue = new SpillQueue({
      ...request.spill,
      onRelief: () => this.#unpause(),
      onFailure: (error) => this.fail(error),
    });
    const protocol = new ReplicaProtocol(request.name, {
      onAnswer: (answer) => this.#onAnswer(answer),
      onSnapshot: (bytes) => this.#onSnapshot(bytes),
      onSnapshotEnd: () => this.#onSnapshotEnd(),
      onStream: (bytes) => this.#onStream(bytes),
    });
    this.#listen(request.socket, protocol);
  }

  /** Why nothing more will come; what came before is still there. */
  get failure(): LifeboatError | undefined {
    return this.#failure;
  }

  /** Offset behind the last byte that came, and what of it was given. There once `answer` has resolved. */
  get spans(): SpanList {
    return this.#spans!;
  }

  async answer(): Promise<PsyncAnswer> {
    while (this.#answer === undefined) await this.#wait();
    return this.#answer;
  }

  /** The RDB file; ends clean only when it is whole. */
  async *snapshot(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const count = Math.min(this.#snapshotBytes, SNAPSHOT_PIECE_BYTES);
      if (count > 0) {
        this.#snapshotBytes -= count;
        yield await this.#queue.take(count);
      } else if (this.#snapshot === 'whole') {
        return;
      } else {
        await this.#wait();
      }
    }
  }

  /** The next bytes of the stream; they must have come. */
  async take(count: number): Promise<Buffer> {
    return await this.#queue.take(count);
  }

  /** The first failure stays. */
  fail(error: LifeboatError): void {
    this.#failure ??= error;
    this.#request.socket.destroy();
    this.#request.bell.ring();
  }

  async close(): Promise<void> {
    this.#request.socket.destroy();
    await this.#queue.close();
  }

  #listen(socket: Socket, protocol: ReplicaProtocol): void {
    const { toError } = this.#request;
    socket.setTimeout(SILENCE_MAX_MS);
    socket.on('timeout', () => {
      // While we ourselves hold the server back its silence says nothing.
      if (socket.isPaused()) return;
      const what = `replicate from redis ${this.#request.name}: nothing came for ${SILENCE_MAX_MS / 1000} s`;
      this.fail(new LifeboatError('REDIS_TIMEOUT', what));
    });
    socket.on('error', (cause) => this.fail(toError(cause)));
    socket.on('close', () => this.fail(toError(undefined)));
    socket.on('data', (bytes: Buffer) => {
      if (this.#failure !== undefined) return;
      try {
        protocol.push(bytes);
      } catch (error) {
        this.fail(toLifeboatError(error));
      }
    });
    socket.resume();
  }

  #onAnswer(answer: PsyncAnswer): void {
    const { resume, bell } = this.#request;
    this.#answer = answer;
    if (answer.kind === 'full') this.#snapshot = 'coming';
    if (answer.kind === 'continue' && resume !== null) {
      const { database, insideMulti, unfinishedBytes } = resume.state;
      const offset = resume.offset - unfinishedBytes;
      this.#framer = new StreamFramer({ offset, database, insideMulti, keepAlives: true });
      this.#spans = new SpanList(resume.offset);
    } else if (answer.kind === 'full') {
      const start = { offset: answer.offset, database: null, insideMulti: false, keepAlives: true };
      this.#framer = new StreamFramer(start);
      this.#spans = new SpanList(answer.offset);
    }
    bell.ring();
  }

  #onSnapshot(bytes: Buffer): void {
    this.#queue.push(bytes);
    this.#snapshotBytes += bytes.length;
    if (this.#queue.full || this.#queue.congested) this.#request.socket.pause();
    this.#request.bell.ring();
  }

  #onSnapshotEnd(): void {
    this.#snapshot = 'whole';
    this.#request.onAckWanted();
    this.#request.bell.ring();
  }

  #onStream(bytes: Buffer): void {
    const framer = this.#framer!;
    const spans = this.#spans!;
    const before = spans.received;
    // Behind a command in the middle the server was asked for its beginning again, which is here already.
    let known = Math.max(0, before - framer.offset);
    const parts = framer.push(bytes, ({ name, argument }) => {
      if (name === 'REPLCONF' && argument.toUpperCase() === 'GETACK') this.#request.onAckWanted();
    });
    for (const part of parts) {
      const skipped = Math.min(known, part.length);
      known -= skipped;
      this.#queue.push(part.subarray(skipped));
    }
    if (framer.offset > before) this.#note(framer, spans);
  }

  #note(framer: StreamFramer, spans: SpanList): void {
    const before = { waitingBytes: spans.received - spans.given, commandEnd: this.#commandEnd };
    spans.add(framer, Date.now());
    this.#commandEnd = framer.commandEnd;
    const somethingWhole = before.commandEnd <= spans.given && framer.commandEnd > spans.given;
    const fullChunk = before.waitingBytes < CHUNK_BYTES && spans.received - spans.given >= CHUNK_BYTES;
    const arrived = spans.received >= this.#request.until;
    if (somethingWhole || fullChunk || arrived) this.#request.bell.ring();
    if (this.#queue.congested) this.#request.socket.pause();
    if (!this.#queue.full) return;
    // A snapshot that is still being taken would have to begin anew: rather let the server wait, as long as it does.
    if (this.#snapshotBytes > 0) this.#request.socket.pause();
    else this.fail(this.#full());
  }

  #full(): LifeboatError {
    const { maxBytes, directory } = this.#request.spill;
    const what = `replicate from redis ${this.#request.name}: ${maxBytes} bytes in ${directory} wait to be stored`;
    return new LifeboatError('REDIS_SPILL_FULL', what, { details: { maxBytes, directory } });
  }

  #unpause(): void {
    const { socket } = this.#request;
    if (socket.isPaused() && !this.#queue.full && !this.#queue.congested) socket.resume();
  }

  async #wait(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await this.#request.bell.wait(WAIT_MS);
  }
}
