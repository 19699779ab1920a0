import { malformed } from './encoding.ts';

const NOTHING = Buffer.alloc(0);

/** From this size on a value gets its final buffer at once; below it, pieces are put together at the end. */
const LARGE_BYTES = 1024 * 1024;

/** No server takes a larger string; a length above it is a broken one, and would ask for memory that is not there. */
const VALUE_MAX_BYTES = 4 * 1024 ** 3;

/** From this size on a string may be taken in pieces instead. */
export const IN_PIECES_BYTES = 4 * 1024 * 1024;

/** Takes the pieces of a value in its order; a piece is good until the next bytes are asked for. */
export type PieceSink = (piece: Buffer) => void;

/** Bytes that come in pieces and are wanted as one. A value of n bytes that begins with its length takes n bytes, not 2 n. */
export class Capture {
  #pieces: Buffer[] = [];
  #large: Buffer | undefined;
  #size = 0;
  #choose: ((sizeBytes: number) => PieceSink | undefined) | undefined;
  #sink: PieceSink | undefined;

  /** @param choose asked once, when the first bytes tell that the value is large: who takes its pieces, if anybody */
  reset(choose?: (sizeBytes: number) => PieceSink | undefined): void {
    this.#pieces = [];
    this.#large = undefined;
    this.#size = 0;
    this.#choose = choose;
    this.#sink = undefined;
  }

  /** So many bytes more are to come. Pages of a buffer that stay untouched, since the length lied, cost no memory. */
  expect(bytes: number): void {
    if (bytes > VALUE_MAX_BYTES) throw malformed(`a string of ${bytes} bytes`);
    if (this.#choose !== undefined && bytes >= IN_PIECES_BYTES) this.#sink = this.#choose(bytes);
    this.#choose = undefined;
    if (this.#sink !== undefined || bytes < LARGE_BYTES || this.#large !== undefined || this.#size > LARGE_BYTES)
      return;
    const large = Buffer.allocUnsafeSlow(this.#size + bytes);
    let at = 0;
    for (const piece of this.#pieces) at += piece.copy(large, at);
    this.#pieces = [];
    this.#large = large;
  }

  /** Keeps a copy: the piece is good only now. */
  add(piece: Buffer): void {
    if (this.#sink !== undefined) {
      if (piece.length > 0) this.#sink(piece);
      return;
    }
    const into = this.#large;
    const copied = into === undefined ? 0 : piece.copy(into, Math.min(this.#size, into.length));
    if (copied < piece.length) this.#pieces.push(Buffer.from(piece.subarray(copied)));
    this.#size += piece.length;
  }

  /** All of it with the last piece; a view when that is all there is, and nothing when somebody took the pieces. */
  take(last: Buffer): Buffer {
    if (this.#sink !== undefined) {
      this.add(last);
      this.reset();
      return NOTHING;
    }
    if (this.#size === 0 && this.#large === undefined) return last;
    const pieces = this.#pieces;
    if (this.#large === undefined) {
      this.reset();
      return Buffer.concat([...pieces, last]);
    }
    this.add(last);
    const { large, size } = { large: this.#large, size: this.#size };
    this.reset();
    return pieces.length === 0 && large.length === size ? large : Buffer.concat([large, ...pieces], size);
  }
}
