import { LzfError } from './lzf.ts';

/** A back reference reaches so far (liblzf: 13 bits and one). */
const WINDOW_BYTES = 8192;
/** What is unpacked before it is handed on. */
const PIECE_BYTES = 256 * 1024;
/** The longest that one instruction gives: a reference of 7 + 255 + 2 bytes. */
const INSTRUCTION_MAX_BYTES = 264;
const LITERAL_MAX = 32;

/**
 * Unpacks LZF as it comes, in pieces of any size, with the memory of one piece; `decompressLzf` is for what is at hand
 * as a whole. Throws LzfError. A piece that is given to `onPiece` is good until it returns.
 */
export class LzfStream {
  readonly #onPiece: (piece: Buffer) => void;
  readonly #sizeBytes: number;
  readonly #out = Buffer.allocUnsafeSlow(WINDOW_BYTES + PIECE_BYTES + INSTRUCTION_MAX_BYTES);
  /** Output stands in `#out` up to here; what lies before `#from` has been handed on. */
  #used = 0;
  #from = 0;
  #given = 0;
  #literals = 0;
  /** Begun instruction of a reference: its first byte, and its length once that is known. */
  #control = -1;
  #length = -1;

  /** @param sizeBytes of all that comes out; more or less is an error */
  constructor(sizeBytes: number, onPiece: (piece: Buffer) => void) {
    this.#sizeBytes = sizeBytes;
    this.#onPiece = onPiece;
  }

  push(packed: Buffer): void {
    for (let at = 0; at < packed.length;) {
      if (this.#literals > 0) at = this.#copyLiterals(packed, at);
      else {
        this.#instruct(packed[at]!);
        at += 1;
      }
      if (this.#used >= WINDOW_BYTES + PIECE_BYTES) this.#handOn();
    }
  }

  end(): void {
    this.#handOn();
    if (this.#literals > 0 || this.#control >= 0) throw new LzfError('ends within an instruction');
    if (this.#given !== this.#sizeBytes) throw new LzfError(`${this.#given} bytes instead of ${this.#sizeBytes}`);
  }

  #copyLiterals(packed: Buffer, at: number): number {
    const count = Math.min(this.#literals, packed.length - at);
    packed.copy(this.#out, this.#used, at, at + count);
    this.#used += count;
    this.#literals -= count;
    return at + count;
  }

  /** One byte that is no literal: the first of an instruction, the rest of a long length, or the low part of a distance. */
  #instruct(byte: number): void {
    if (this.#control < 0) {
      if (byte < LITERAL_MAX) this.#literals = byte + 1;
      else {
        this.#control = byte;
        this.#length = byte >> 5 === 7 ? -1 : byte >> 5;
      }
    } else if (this.#length < 0) {
      this.#length = 7 + byte;
    } else {
      this.#repeat(((this.#control & 31) << 8) + byte + 1, this.#length + 2);
      this.#control = -1;
    }
  }

  #repeat(distance: number, length: number): void {
    const from = this.#used - distance;
    if (from < 0) throw new LzfError('a reference before the beginning');
    // Byte by byte: source and target overlap where a short pattern is repeated.
    for (let offset = 0; offset < length; offset += 1) this.#out[this.#used + offset] = this.#out[from + offset]!;
    this.#used += length;
  }

  /** Gives what is new, and keeps what references may still reach. */
  #handOn(): void {
    this.#given += this.#used - this.#from;
    if (this.#given > this.#sizeBytes) throw new LzfError(`more than ${this.#sizeBytes} bytes`);
    this.#onPiece(this.#out.subarray(this.#from, this.#used));
    const kept = Math.min(WINDOW_BYTES, this.#used);
    this.#out.copy(this.#out, 0, this.#used - kept, this.#used);
    this.#used = kept;
    this.#from = kept;
  }
}
