import { LifeboatError } from '../../../domain/errors.ts';
import { formatLsn, type Lsn } from '../../../domain/lsn.ts';
import type { WalEvent } from '../wal.ts';
import { Blocks, type BlocksRequest } from './blocks.ts';
import { parseServerMessage, type ServerMessage } from './frames.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { PastCheck } from './past-check.ts';
import type { CopyExchange, TextRow } from './replication-session.ts';

export interface TimelineStreamRequest extends BlocksRequest {
  readonly until: Lsn | undefined;
  readonly isOurs?: PastCheck | undefined;
}

interface StreamLink {
  readonly exchange: CopyExchange;
  readonly heartbeat: Heartbeat;
}

/** WAL of one timeline on its way from the socket to the consumer: what comes goes in by `onData`, what is due comes out by `events`. */
export class TimelineStream {
  readonly blocks: Blocks;
  readonly #request: TimelineStreamRequest;
  /** Came while both buffers were full: the rest of what the socket had given already, copied. */
  readonly #overflow: Buffer[] = [];
  /** Of the next byte from the server. */
  #position: Lsn;
  #link: StreamLink | undefined;
  /** When the server sent its last message. */
  #previousMs: number | undefined;
  #due = false;
  #dueAt: Lsn | undefined;
  #ended: readonly TextRow[] | undefined;
  #failure: { readonly error: unknown; readonly giveRest: boolean } | undefined;
  #givenMs: number;
  #wake: (() => void) | undefined;

  constructor(request: TimelineStreamRequest) {
    this.#request = request;
    this.blocks = new Blocks(request);
    this.#position = request.start;
    this.#givenMs = request.known.ms;
  }

  /** Nothing is read from the server until the consumer has taken something. */
  get paused(): boolean {
    return this.#overflow.length > 0;
  }

  /** After the last event: the server's rows about the next timeline; null where `until` was reached. */
  get end(): readonly TextRow[] | null {
    return this.#reachedUntil() ? null : (this.#ended ?? []);
  }

  attach(link: StreamLink): void {
    this.#link = link;
    link.exchange.ended.then(
      (rows) => {
        this.#ended = rows;
        return this.#wake?.();
      },
      (error: unknown) => this.fail(error, true),
    );
  }

  /** One message of the server. */
  onData(payload: Buffer): void {
    if (this.#failure !== undefined || this.#reachedUntil()) return;
    this.#link?.heartbeat.heard();
    const message = parseServerMessage(payload);
    if (message?.message === 'keepalive') {
      this.#previousMs = message.sentMs;
      if (message.replyRequested) this.#answer();
    } else if (message?.start === this.#position) {
      this.#takeWal(message);
    } else {
      const found = message === undefined ? 'a message of unknown kind' : formatLsn(message.start);
      const text = `receive wal: ${formatLsn(this.#position)} was expected, ${found} came`;
      this.fail(new LifeboatError('JOURNAL_STREAM_DAMAGED', text), false);
    }
  }

  /** A piece of what is there is due, or a `time`. */
  flush(): void {
    this.#due = true;
    this.#wake?.();
  }

  /** The same once all before `lsn` is there. */
  flushAt(lsn: Lsn): void {
    this.#dueAt = lsn;
    this.#noteDue();
    this.#wake?.();
  }

  /** That does not come in time: gives what is there. */
  flushLate(): void {
    if (this.#dueAt !== undefined) this.flush();
  }

  /** `giveRest`: what was received in order is given before the error is thrown. */
  fail(error: unknown, giveRest: boolean): void {
    this.#failure ??= { error, giveRest };
    this.#wake?.();
  }

  /** Until the server ends the timeline, or all before `until` was given. */
  async *events(): AsyncGenerator<WalEvent, void, undefined> {
    for (;;) {
      if (this.#failure?.giveRest === false) throw this.#failure.error;
      const event = this.#next();
      if (event !== undefined) {
        if (event.event === 'piece') this.#givenMs = event.toMs;
        yield event;
        this.blocks.release();
        this.#store();
      } else if (this.#failure !== undefined) {
        throw this.#failure.error;
      } else if (this.#isOver()) {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  #next(): WalEvent | undefined {
    const { timeline, known, giveBeyond } = this.#request;
    const last = this.#failure !== undefined || this.#isOver();
    const due = this.#due;
    const full = this.blocks.takeFull(this.#givenMs);
    if (full !== undefined) return full;
    if (!due && !last) return undefined;
    const part = this.blocks.takePart(this.#givenMs);
    // Before the switch a new timeline has nothing of its own to say.
    if (part === undefined && (last || this.blocks.received < giveBeyond)) return undefined;
    [this.#due, this.#dueAt] = [false, undefined];
    return part ?? { event: 'time', timeline, lsn: formatLsn(this.blocks.given), timeMs: known.ms };
  }

  #reachedUntil(): boolean {
    const { until } = this.#request;
    return until !== undefined && this.blocks.received >= until;
  }

  #isOver(): boolean {
    return this.#reachedUntil() || (this.#ended !== undefined && !this.paused);
  }

  #answer(): void {
    this.#link?.heartbeat.answer();
    // A server that shuts down asks, and waits until all is confirmed.
    if (this.blocks.received > this.blocks.given) this.flush();
  }

  #takeWal({ data, flushed, sentMs, start }: ServerMessage & { readonly message: 'wal' }): void {
    const { until, known, isOurs } = this.#request;
    const stranger = isOurs?.(start, data);
    if (stranger !== undefined) return this.fail(stranger, false);
    // The server read its position after the message before this one had left.
    if (this.#previousMs !== undefined) known.sample({ timeMs: this.#previousMs, lsn: flushed });
    this.#previousMs = sentMs;
    const wanted = until === undefined ? data : data.subarray(0, Math.max(Number(until - this.#position), 0));
    this.#position += BigInt(data.length);
    const taken = this.paused ? 0 : this.blocks.append(wanted);
    known.reached(this.blocks.received);
    if (taken < wanted.length) this.#overflow.push(Buffer.from(wanted.subarray(taken)));
    if (this.paused || this.#reachedUntil()) this.#link?.exchange.pause();
    this.#noteDue();
    this.#wake?.();
  }

  /** There may be room again: takes what had to wait, and goes on reading when that is all. */
  #store(): void {
    for (let first = this.#overflow.shift(); first !== undefined; first = this.#overflow.shift()) {
      const taken = this.blocks.append(first);
      this.#request.known.reached(this.blocks.received);
      if (taken === first.length) continue;
      this.#overflow.unshift(first.subarray(taken));
      break;
    }
    this.#noteDue();
    if (!this.paused) this.#link?.exchange.resume();
  }

  #noteDue(): void {
    if (this.#dueAt !== undefined && this.blocks.received >= this.#dueAt) this.#due = true;
  }
}
