import { LifeboatError } from '../../../domain/errors.ts';

/** A whole command of a replication stream, as far as its place in the stream and the state of the stream need it. */
export interface StreamCommand {
  /** In capitals; empty for names that neither frame nor steer a stream. */
  readonly name: string;
  /** First argument of SELECT and REPLCONF, else empty. */
  readonly argument: string;
  /** Offsets of its first byte and of the byte behind its last. */
  readonly from: number;
  readonly to: number;
}

export interface FramerStart {
  /** Offset of the first byte that will be pushed; it begins a command. */
  readonly offset: number;
  /** Null: that of the snapshot in front, known by others. */
  readonly database: number | null;
  readonly insideMulti: boolean;
  /** Drop line feeds between commands: a server sends them as a sign of life, and counts them in no offset. */
  readonly keepAlives?: boolean;
}

/** Names that matter have 4 to 8 letters: PING, EXEC, MULTI, SELECT, DISCARD, REPLCONF. */
const NAME_MIN_BYTES = 4;
const NAME_MAX_BYTES = 8;
/** A number of a database, or GETACK. */
const ARGUMENT_MAX_BYTES = 16;
/** `proto-max-bulk-len` is 512 MB by default, and no sane operator raises it further than this. */
const BULK_MAX_BYTES = 4 * 1024 ** 3;
const ARGUMENTS_MAX = 2 ** 31;

const CR = 13;
const LF = 10;
const DOLLAR = 36;
const STAR = 42;
const ZERO = 48;

type Expected = 'command' | 'count' | 'count end' | 'bulk' | 'length' | 'length end' | 'body';

/**
 * Finds the ends of commands in a replication stream (RESP arrays of bulk strings) that comes in pieces of any size, and
 * keeps what a later reader needs to go on: the database in use, and whether a transaction is open. Values are stepped
 * over, never collected: its memory is the same for a value of 512 MB. Throws REDIS_PROTOCOL_ERROR.
 */
export class StreamFramer {
  /** Bytes of the stream so far; keep-alives are not among them. */
  offset: number;
  /** Behind the last whole command. */
  commandEnd: number;
  /** Behind the last whole command that left no transaction open: a place to cut. */
  transactionEnd: number;
  database: number | null;
  insideMulti: boolean;
  readonly #keepAlives: boolean;
  #expected: Expected = 'command';
  #number = 0;
  #argumentsLeft = 0;
  #bodyLeft = 0;
  /** Which argument of the command: 0 is its name. */
  #argument = 0;
  #capturing = false;
  #captured = '';
  #name = '';

  constructor(start: FramerStart) {
    this.offset = start.offset;
    this.commandEnd = start.offset;
    this.transactionEnd = start.offset;
    this.database = start.database;
    this.insideMulti = start.insideMulti;
    this.#keepAlives = start.keepAlives ?? false;
    if (start.insideMulti) this.transactionEnd = -1;
  }

  /** Takes the next bytes and gives those that count, as views of them: all, but for keep-alives. */
  push(chunk: Buffer, onCommand?: (command: StreamCommand) => void): readonly Buffer[] {
    const parts: Buffer[] = [];
    let from = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#expected === 'body') {
        at = this.#body(chunk, at);
        if (this.#bodyLeft === 0 && this.#argumentsLeft === 0) this.#finish(this.offset + at - from, onCommand);
      } else if (this.#expected === 'command' && chunk[at] === LF && this.#keepAlives) {
        parts.push(chunk.subarray(from, at));
        this.offset += at - from;
        at += 1;
        from = at;
      } else {
        this.#header(chunk[at]!);
        at += 1;
      }
    }
    this.offset += at - from;
    return from === 0 ? [chunk] : [...parts, chunk.subarray(from)].filter(({ length }) => length > 0);
  }

  #body(chunk: Buffer, at: number): number {
    const end = Math.min(at + this.#bodyLeft, chunk.length);
    if (this.#capturing) this.#captured += chunk.toString('latin1', at, end);
    this.#bodyLeft -= end - at;
    if (this.#bodyLeft > 0) return end;
    if (this.#capturing) this.#keep();
    this.#argument += 1;
    this.#argumentsLeft -= 1;
    this.#expected = this.#argumentsLeft === 0 ? 'command' : 'bulk';
    return end;
  }

  /** The captured text with its line end behind it. */
  #keep(): void {
    if (!this.#captured.endsWith('\r\n')) throw malformed('a value without its line end', this.commandEnd);
    const text = this.#captured.slice(0, -2);
    if (this.#argument === 0) {
      this.#name = text.toUpperCase();
      this.#captured = '';
    } else {
      this.#captured = text;
    }
    this.#capturing = false;
  }

  #header(byte: number): void {
    switch (this.#expected) {
      case 'command':
        this.#expect(byte === STAR, 'count', 'no command');
        break;
      case 'bulk':
        this.#expect(byte === DOLLAR, 'length', 'no bulk string');
        break;
      case 'count':
      case 'length':
        this.#digit(byte);
        break;
      case 'count end':
        this.#expect(byte === LF && this.#number > 0 && this.#number < ARGUMENTS_MAX, 'bulk', 'no count of arguments');
        this.#argumentsLeft = this.#number;
        this.#argument = 0;
        this.#name = '';
        this.#captured = '';
        break;
      case 'length end':
        this.#expect(byte === LF && this.#number <= BULK_MAX_BYTES, 'body', 'no length');
        this.#bodyLeft = this.#number + 2;
        this.#capturing = this.#isWanted(this.#number);
        break;
      case 'body':
      default:
        throw new LifeboatError('INTERNAL', 'a body is no header');
    }
  }

  #expect(right: boolean, next: Expected, otherwise: string): void {
    if (!right) throw malformed(otherwise, this.commandEnd);
    this.#expected = next;
    if (next === 'count' || next === 'length') this.#number = -1;
  }

  #digit(byte: number): void {
    const digit = byte - ZERO;
    if (digit >= 0 && digit <= 9) {
      this.#number = Math.max(this.#number, 0) * 10 + digit;
      if (this.#number <= BULK_MAX_BYTES) return;
    } else if (byte === CR && this.#number >= 0) {
      this.#expected = this.#expected === 'count' ? 'count end' : 'length end';
      return;
    }
    throw malformed('no number', this.commandEnd);
  }

  #isWanted(length: number): boolean {
    if (this.#argument === 0) return length >= NAME_MIN_BYTES && length <= NAME_MAX_BYTES;
    if (this.#argument > 1 || length > ARGUMENT_MAX_BYTES) return false;
    return this.#name === 'SELECT' || this.#name === 'REPLCONF';
  }

  #finish(end: number, onCommand: ((command: StreamCommand) => void) | undefined): void {
    const from = this.commandEnd;
    this.commandEnd = end;
    if (this.#name !== '') this.#steer();
    if (!this.insideMulti) this.transactionEnd = end;
    onCommand?.({ name: this.#name, argument: this.#captured, from, to: end });
  }

  #steer(): void {
    switch (this.#name) {
      case 'SELECT':
        this.database = Number(this.#captured);
        if (!Number.isInteger(this.database)) throw malformed('select of no database', this.commandEnd);
        break;
      case 'MULTI':
        this.insideMulti = true;
        break;
      case 'EXEC':
      case 'DISCARD':
        this.insideMulti = false;
        break;
      default:
        break;
    }
  }
}

function malformed(what: string, behind: number): LifeboatError {
  return new LifeboatError('REDIS_PROTOCOL_ERROR', `read redis stream: ${what} behind offset ${behind}`, {
    details: { offset: behind },
  });
}
