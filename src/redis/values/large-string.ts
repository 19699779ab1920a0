import { malformed, readLength, requireLength, STRING_LZF } from '../rdb/encoding.ts';
import { LzfError } from '../rdb/lzf.ts';
import { LzfStream } from '../rdb/lzf-stream.ts';
import type { PieceSink } from '../rdb/capture.ts';

/** Kind and two lengths of 9 bytes: more never stands before the bytes of a string. */
const HEADER_MAX_BYTES = 19;
const NOTHING = Buffer.alloc(0);

/**
 * Reads the body of one large string in pieces: gives its size when the first bytes have come, and then those as a
 * client would read them. Throws RDB_MALFORMED.
 */
export class LargeString {
  readonly #onSize: (sizeBytes: number) => void;
  readonly #onBytes: PieceSink;
  #begun = false;
  #held: Buffer = NOTHING;
  #packed: LzfStream | undefined;

  constructor(onSize: (sizeBytes: number) => void, onBytes: PieceSink) {
    this.#onSize = onSize;
    this.#onBytes = onBytes;
  }

  push(piece: Buffer): void {
    let content = piece;
    if (!this.#begun) {
      // A piece may be the whole value: it is not copied to see how it begins.
      const bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
      if (bytes.length < HEADER_MAX_BYTES) {
        this.#held = Buffer.from(bytes);
        return;
      }
      this.#held = NOTHING;
      content = this.#begin(bytes);
    }
    if (this.#packed === undefined) this.#onBytes(content);
    else explained(() => this.#packed?.push(content));
  }

  end(): void {
    if (!this.#begun) throw malformed('a large string that is short');
    explained(() => this.#packed?.end());
  }

  #begin(bytes: Buffer): Buffer {
    this.#begun = true;
    const length = readLength(bytes, 0);
    if (length === undefined) throw malformed('string without length');
    if (!length.encoded) {
      this.#onSize(length.value);
      return bytes.subarray(length.end);
    }
    if (length.value !== STRING_LZF) throw malformed(`string encoding ${length.value}`);
    const size = requireLength(bytes, requireLength(bytes, length.end).end);
    this.#onSize(size.value);
    this.#packed = new LzfStream(size.value, this.#onBytes);
    return bytes.subarray(size.end);
  }
}

function explained(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (error instanceof LzfError) throw malformed(`compressed string: ${error.message}`, error);
    throw error;
  }
}
