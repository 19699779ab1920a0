import { release } from '../platform/release-memory.ts';

/** An argument of a command; numbers are written in decimal. */
export type RedisArgument = Uint8Array | string | number;

/** An error reply. `code` is its first word (`ERR`, `NOPERM`, `WRONGPASS`), the only part that may decide anything. */
export class RespError {
  readonly code: string;
  readonly message: string;

  constructor(line: string) {
    const space = line.indexOf(' ');
    this.code = space < 0 ? line : line.slice(0, space);
    this.message = space < 0 ? '' : line.slice(space + 1);
  }
}

/** Bulk → Buffer, simple string → string, integer → number, nil → null, array → array, error → RespError. */
export type RespValue = Buffer | string | number | null | RespError | RespValue[];

/** The bytes are not RESP2; the connection cannot be used any more. */
export class RespSyntaxError extends Error {
  override readonly name = 'RespSyntaxError';
}

/** A server's `proto-max-bulk-len` can be raised this far by any sane operator; a greater length is a broken stream. */
const BULK_MAX_BYTES = 4 * 1024 ** 3;
/** A line reply (`+OK`, `-ERR …`, `:1`) longer than this is not Redis. */
const LINE_MAX_BYTES = 64 * 1024;
/** Chunks of a bulk of this size and above are given back as soon as they were copied. */
const RELEASING_BYTES = 1024 * 1024;
const NOTHING = Buffer.alloc(0);
const CR = 13;
const LF = 10;

interface OpenArray {
  readonly items: RespValue[];
  missing: number;
}

/**
 * An incremental RESP2 parser. A bulk that lies inside one chunk is a view of it; one that spans chunks is filled into
 * a buffer of its final size, so that a reply of n bytes costs n bytes of copying however it is cut.
 */
export class RespParser {
  #chunk: Buffer = NOTHING;
  #position = 0;
  /** A bulk that did not fit into the chunk: its body and the CR LF behind it. */
  #filling: Buffer | undefined;
  #filled = 0;
  readonly #open: OpenArray[] = [];
  readonly #keepAlives: boolean;
  readonly #releases: boolean;

  /**
   * @param options.keepAlives drop line feeds between values: a replica that loads sends them to show it is alive
   * @param options.releases chunks are the parser's own: those of which no reply is a view are emptied
   */
  constructor(options: { readonly keepAlives?: boolean; readonly releases?: boolean } = {}) {
    this.#releases = options.releases ?? false;
    this.#keepAlives = options.keepAlives ?? false;
  }

  /** Takes the next bytes; the chunk must not be changed afterwards, replies may be views of it. */
  push(chunk: Buffer): void {
    const rest = this.#chunk.length - this.#position;
    this.#chunk = rest === 0 ? chunk : Buffer.concat([this.#chunk.subarray(this.#position), chunk]);
    this.#position = 0;
  }

  /** The next whole reply, or undefined until more bytes come. Throws RespSyntaxError. */
  next(): RespValue | undefined {
    while (this.#position < this.#chunk.length) {
      if (this.#keepAlives && this.#isKeepAlive()) {
        this.#position += 1;
        continue;
      }
      const depth = this.#open.length;
      const value = this.#filling === undefined ? this.#value() : this.#fill();
      if (value === undefined) {
        // An array that was just opened is progress; anything else without a value waits for more bytes.
        if (this.#open.length === depth) return undefined;
        continue;
      }
      const complete = this.#place(value);
      if (complete !== undefined) return complete;
    }
    return undefined;
  }

  /** Bytes of a reply that is not whole yet; 0 between replies. */
  get pendingBytes(): number {
    const partial = this.#filling === undefined ? 0 : this.#filled;
    return this.#chunk.length - this.#position + partial + this.#open.length;
  }

  #isKeepAlive(): boolean {
    return this.#chunk[this.#position] === LF && this.#filling === undefined && this.#open.length === 0;
  }

  /** A scalar or an empty array; undefined after opening an array or when bytes are missing. */
  #value(): RespValue | undefined {
    const marker = this.#chunk[this.#position]!;
    const line = this.#line();
    if (line === undefined) return undefined;
    switch (marker) {
      case 0x24:
        return this.#bulk(toLength(line));
      case 0x2a:
        return this.#array(toLength(line));
      case 0x3a:
        return toInteger(line);
      case 0x2b:
        return line.slice(1);
      case 0x2d:
        return new RespError(line.slice(1));
      default:
        throw new RespSyntaxError(`reply starts with byte ${marker}`);
    }
  }

  #line(): string | undefined {
    const end = this.#chunk.indexOf(CR, this.#position);
    if (end < 0 || end + 1 >= this.#chunk.length) {
      if (this.#chunk.length - this.#position > LINE_MAX_BYTES) throw new RespSyntaxError('reply line without an end');
      return undefined;
    }
    if (this.#chunk[end + 1] !== LF) throw new RespSyntaxError('carriage return without line feed');
    const text = this.#chunk.toString('latin1', this.#position, end);
    this.#position = end + 2;
    return text;
  }

  #bulk(length: number): Buffer | null | undefined {
    if (length < 0) return null;
    const start = this.#position;
    const end = start + length;
    if (end + 2 > this.#chunk.length) {
      this.#filling = Buffer.allocUnsafeSlow(length + 2);
      this.#filled = 0;
      return this.#fill();
    }
    this.#position = end + 2;
    return withoutLineEnd(this.#chunk, start, end);
  }

  #fill(): Buffer | undefined {
    const body = this.#filling!;
    const begun = this.#position;
    const taken = this.#chunk.copy(body, this.#filled, begun);
    this.#position += taken;
    const whole = begun === 0 && taken === this.#chunk.length;
    if (this.#releases && whole && body.length >= RELEASING_BYTES) this.#release();
    this.#filled += taken;
    if (this.#filled < body.length) return undefined;
    this.#filling = undefined;
    return withoutLineEnd(body, 0, body.length - 2);
  }

  /** Gives a chunk of which no reply is a view back at once: a thousand of them are in memory before the collector sees a need. */
  #release(): void {
    const chunk = this.#chunk;
    this.#chunk = NOTHING;
    this.#position = 0;
    release(chunk);
  }

  #array(length: number): RespValue[] | null | undefined {
    if (length < 0) return null;
    if (length === 0) return [];
    this.#open.push({ items: [], missing: length });
    return undefined;
  }

  /** Puts a value into the innermost open array; gives what is complete at the outside, else undefined. */
  #place(value: RespValue): RespValue | undefined {
    let complete = value;
    for (let array = this.#open.at(-1); array !== undefined; array = this.#open.at(-1)) {
      array.items.push(complete);
      array.missing -= 1;
      if (array.missing > 0) return undefined;
      this.#open.pop();
      complete = array.items;
    }
    return complete;
  }
}

function withoutLineEnd(bytes: Buffer, start: number, end: number): Buffer {
  if (bytes[end] !== CR || bytes[end + 1] !== LF) throw new RespSyntaxError('bulk reply without its line end');
  return bytes.subarray(start, end);
}

function toInteger(line: string): number {
  const value = Number(line.slice(1));
  if (line.length < 2 || !Number.isInteger(value)) throw new RespSyntaxError(`not an integer: ${line.slice(0, 40)}`);
  return value;
}

function toLength(line: string): number {
  const value = toInteger(line);
  if (value < -1 || value > BULK_MAX_BYTES) throw new RespSyntaxError(`not a length: ${line.slice(0, 40)}`);
  return value;
}

/** Arguments from this size on are sent as they are, without a copy. */
const BY_REFERENCE_BYTES = 16 * 1024;

/** Commands as RESP2 arrays of bulk strings, ready for one vectored write; big arguments are passed on, not copied. */
export function encodeCommands(commands: readonly (readonly RedisArgument[])[]): Buffer[] {
  const parts: Buffer[] = [];
  let small: Uint8Array[] = [];
  const flush = (): void => {
    if (small.length > 0) parts.push(Buffer.concat(small));
    small = [];
  };
  for (const command of commands) {
    small.push(Buffer.from(`*${command.length}\r\n`, 'latin1'));
    for (const argument of command) {
      const bytes = argument instanceof Uint8Array ? argument : Buffer.from(String(argument), 'utf8');
      small.push(Buffer.from(`$${bytes.length}\r\n`, 'latin1'));
      if (bytes.length < BY_REFERENCE_BYTES) small.push(bytes);
      else {
        flush();
        parts.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      }
      small.push(LINE_END);
    }
  }
  flush();
  return parts;
}

const LINE_END = Buffer.from('\r\n', 'latin1');
