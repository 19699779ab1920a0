import { LifeboatError } from '../../../domain/errors.ts';
import { refused } from '../../replication/full-sync.ts';
import { RespError } from '../../resp.ts';

/** What a server says to PSYNC. `offset`: the snapshot holds all before it. */
export type PsyncAnswer =
  | { readonly kind: 'continue'; readonly replid: string | undefined }
  | { readonly kind: 'full'; readonly replid: string; readonly offset: number };

export interface ReplicaHandlers {
  onAnswer(answer: PsyncAnswer): void;
  /** Bytes of the RDB file. */
  onSnapshot(bytes: Buffer): void;
  onSnapshotEnd(): void;
  /** Bytes of the command stream, keep-alives still among them. */
  onStream(bytes: Buffer): void;
}

/** Length of the random mark that ends a snapshot sent straight from the child process of the master. */
const MARK_BYTES = 40;
/** `+FULLRESYNC` and error lines are far shorter. */
const LINE_MAX_BYTES = 64 * 1024;
const LINE_FEED = 10;
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * What a server sends behind PSYNC, in pieces of any size: its answer, a snapshot or none, and the command stream for
 * ever. The pushing form of `readBulk`: bytes are taken as they come, whoever is to have them.
 */
export class ReplicaProtocol {
  readonly #handlers: ReplicaHandlers;
  /** `host:port` for messages. */
  readonly #name: string;
  #expected: 'answer' | 'header' | 'counted' | 'marked' | 'stream' = 'answer';
  #line: Buffer = NOTHING;
  #missing = 0;
  #mark: Buffer = NOTHING;
  #tail: Buffer = NOTHING;

  constructor(name: string, handlers: ReplicaHandlers) {
    this.#name = name;
    this.#handlers = handlers;
  }

  push(bytes: Buffer): void {
    for (let rest = bytes; rest.length > 0;) rest = this.#take(rest);
  }

  /** Gives what was not taken. */
  #take(bytes: Buffer): Buffer {
    switch (this.#expected) {
      case 'stream':
        this.#handlers.onStream(bytes);
        return NOTHING;
      case 'counted':
        return this.#takeCounted(bytes);
      case 'marked':
        return this.#takeMarked(bytes);
      case 'answer':
      case 'header':
      default:
        return this.#takeLine(bytes);
    }
  }

  #takeLine(bytes: Buffer): Buffer {
    const all = this.#line.length === 0 ? bytes : Buffer.concat([this.#line, bytes]);
    let start = 0;
    // A server that prepares a snapshot sends line feeds to keep the connection alive.
    while (all[start] === LINE_FEED) start += 1;
    const end = all.indexOf(LINE_FEED, start);
    if (end < 0) {
      this.#line = all.subarray(start);
      if (this.#line.length > LINE_MAX_BYTES) throw this.#unexpected('a line without an end');
      return NOTHING;
    }
    this.#line = NOTHING;
    const line = all.toString('latin1', start, end).replace(/\r$/, '');
    if (this.#expected === 'answer') this.#onAnswer(line);
    else this.#onHeader(line);
    return all.subarray(end + 1);
  }

  #onAnswer(line: string): void {
    if (line.startsWith('-')) throw refused(new RespError(line.slice(1)), this.#name);
    const full = /^\+FULLRESYNC ([0-9a-f]{40}) (\d+)$/.exec(line);
    const goesOn = /^\+CONTINUE(?: ([0-9a-f]{40}))?$/.exec(line);
    if (full !== null) {
      this.#expected = 'header';
      this.#handlers.onAnswer({ kind: 'full', replid: full[1]!, offset: Number(full[2]) });
    } else if (goesOn !== null) {
      this.#expected = 'stream';
      this.#handlers.onAnswer({ kind: 'continue', replid: goesOn[1] });
    } else {
      throw this.#unexpected('unexpected answer to psync');
    }
  }

  #onHeader(line: string): void {
    if (line.startsWith('-')) {
      throw new LifeboatError('REDIS_NOT_READY', `replicate from redis ${this.#name}: ${line.slice(1)}`);
    }
    const marked = /^\$EOF:(.{40})$/.exec(line);
    const counted = /^\$(\d+)$/.exec(line);
    if (marked !== null) {
      this.#mark = Buffer.from(marked[1]!, 'latin1');
      this.#expected = 'marked';
    } else if (counted !== null) {
      this.#missing = Number(counted[1]);
      this.#expected = 'counted';
    } else {
      throw this.#unexpected('no snapshot after the resynchronization');
    }
  }

  /** Behind a counted snapshot the server goes on with its stream at once. */
  #takeCounted(bytes: Buffer): Buffer {
    const part = bytes.subarray(0, this.#missing);
    this.#missing -= part.length;
    this.#handlers.onSnapshot(part);
    if (this.#missing === 0) this.#endSnapshot();
    return bytes.subarray(part.length);
  }

  /**
   * Behind the mark the server sends nothing before our first ACK, so the snapshot is over when the last bytes received
   * are the mark. It may come in two reads: the last 40 bytes are always held back.
   */
  #takeMarked(bytes: Buffer): Buffer {
    const all = this.#tail.length === 0 ? bytes : Buffer.concat([this.#tail, bytes]);
    const body = all.subarray(0, Math.max(0, all.length - MARK_BYTES));
    this.#tail = all.subarray(body.length);
    if (body.length > 0) this.#handlers.onSnapshot(body);
    if (this.#tail.equals(this.#mark)) this.#endSnapshot();
    return NOTHING;
  }

  #endSnapshot(): void {
    this.#expected = 'stream';
    this.#tail = NOTHING;
    this.#handlers.onSnapshotEnd();
  }

  #unexpected(what: string): LifeboatError {
    return new LifeboatError('REDIS_PROTOCOL_ERROR', `replicate from redis ${this.#name}: ${what}`);
  }
}
