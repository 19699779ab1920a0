/** Small commands are gathered into pieces of this size; longer arguments pass by reference. */
const PIECE_BYTES = 256 * 1024;
const BY_REFERENCE_BYTES = 32 * 1024;
/** Room for `$`, the digits of a length and CR LF. */
const PREFIX_MAX_BYTES = 20;
const CR = 13;
const LF = 10;
const DOLLAR = 36;
const STAR = 42;
const ZERO = 48;

/**
 * Encodes commands for long pipelines. It exists beside `encodeCommands` for its speed: one copy per argument and no
 * buffer per part, which is half of the client's time in an import of many small keys.
 */
export class CommandBuffer {
  /** Bytes added since the last `take`. */
  sizeBytes = 0;
  #piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #used = 0;
  #from = 0;
  #pieces: Buffer[] = [];

  /** One command; text arguments must be ASCII. */
  add(...args: readonly (Buffer | string)[]): void {
    this.#prefix(STAR, args.length);
    for (const argument of args) this.#argument(argument);
  }

  /** A command whose last argument but `more` follows in pieces of `sizeBytes` together. */
  begin(
    args: readonly (Buffer | string)[],
    { sizeBytes, more }: { readonly sizeBytes: number; readonly more: number },
  ): void {
    this.#prefix(STAR, args.length + 1 + more);
    for (const argument of args) this.#argument(argument);
    this.#prefix(DOLLAR, sizeBytes);
  }

  piece(bytes: Buffer): void {
    if (bytes.length > BY_REFERENCE_BYTES) this.#reference(bytes);
    else this.#copy(bytes);
  }

  /** The end of the pieces, and the arguments behind them. */
  end(...args: readonly (Buffer | string)[]): void {
    this.#lineEnd();
    for (const argument of args) this.#argument(argument);
  }

  /** Encoded commands since the last call, ready for `RedisSocket.write`. */
  take(): readonly Buffer[] {
    this.#flush();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.sizeBytes = 0;
    return pieces;
  }

  #argument(argument: Buffer | string): void {
    const size = argument.length;
    this.#prefix(DOLLAR, size);
    if (size > BY_REFERENCE_BYTES) this.#reference(argument);
    else if (typeof argument === 'string') this.#text(argument);
    else this.#copy(argument);
    this.#lineEnd();
  }

  #prefix(marker: number, value: number): void {
    const room = this.#reserve(PREFIX_MAX_BYTES);
    this.#piece[room] = marker;
    let end = room + 1;
    for (let rest = value; rest > 9; rest = Math.floor(rest / 10)) end += 1;
    let rest = value;
    for (let at = end; at > room; at -= 1, rest = Math.floor(rest / 10)) this.#piece[at] = ZERO + (rest % 10);
    this.#piece[end + 1] = CR;
    this.#piece[end + 2] = LF;
    this.#give(room + PREFIX_MAX_BYTES - (end + 3));
  }

  #text(text: string): void {
    const at = this.#reserve(text.length);
    for (let index = 0; index < text.length; index += 1) this.#piece[at + index] = text.charCodeAt(index);
  }

  #copy(bytes: Buffer): void {
    // Reserved first: that may replace the piece.
    const at = this.#reserve(bytes.length);
    this.#piece.set(bytes, at);
  }

  #lineEnd(): void {
    const at = this.#reserve(2);
    this.#piece[at] = CR;
    this.#piece[at + 1] = LF;
  }

  #reference(argument: Buffer | string): void {
    const bytes = typeof argument === 'string' ? Buffer.from(argument, 'latin1') : argument;
    this.#flush();
    this.#pieces.push(bytes);
    this.sizeBytes += bytes.length;
  }

  #reserve(size: number): number {
    if (this.#used + size > PIECE_BYTES) {
      this.#flush();
      this.#piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
      this.#used = 0;
      this.#from = 0;
    }
    const at = this.#used;
    this.#used += size;
    this.sizeBytes += size;
    return at;
  }

  /** Gives back what was reserved too much. */
  #give(size: number): void {
    this.#used -= size;
    this.sizeBytes -= size;
  }

  #flush(): void {
    if (this.#used > this.#from) this.#pieces.push(this.#piece.subarray(this.#from, this.#used));
    this.#from = this.#used;
  }
}
