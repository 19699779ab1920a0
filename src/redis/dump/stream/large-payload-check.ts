import { LifeboatError } from '../../../domain/errors.ts';
import { createCrc64 } from '../../rdb/crc64.ts';
import { DUMP_FOOTER_BYTES } from '../../rdb/payload.ts';
import type { RdbLargeSink } from '../../rdb/walk.ts';
import type { RedisDigest } from '../../values/digest.ts';
import type { LargeKey } from './format.ts';
import { openPayload } from './payload.ts';

/** Bytes of a payload that its CRC64 does not cover: its own. */
const CHECKSUM_BYTES = 8;

/**
 * Reads one large payload of DUMP in pieces into a digest, as `openPayload` and `add` do for small ones: a string as it
 * comes, any other value put together. REDIS_DUMP_CHECKSUM when its CRC64 is not right.
 */
export class LargePayloadCheck {
  readonly #head: LargeKey;
  readonly #digest: RedisDigest;
  readonly #crc = createCrc64();
  /** The version and the checksum, which come last. */
  readonly #footer = Buffer.alloc(DUMP_FOOTER_BYTES);
  /** Where the value is put together; undefined for a string. */
  #whole: Buffer | undefined;
  #sink: RdbLargeSink | undefined;
  #position = 0;

  constructor(head: LargeKey, digest: RedisDigest) {
    // A copy: its bytes are gone before those of the value have come.
    this.#head = { ...head, key: Buffer.from(head.key) };
    this.#digest = digest;
  }

  push(piece: Buffer): void {
    const content = this.#position === 0 ? this.#begin(piece) : piece;
    const at = this.#position + piece.length - content.length;
    const { payloadBytes } = this.#head;
    const footerAt = payloadBytes - DUMP_FOOTER_BYTES;
    const body = content.subarray(0, Math.max(0, footerAt - at));
    if (this.#whole === undefined) {
      const summed = payloadBytes - CHECKSUM_BYTES - this.#position;
      this.#crc.update(piece, 0, Math.max(0, Math.min(piece.length, summed)));
      if (body.length > 0) this.#sink?.piece(body);
      content.copy(this.#footer, Math.max(0, at - footerAt), body.length);
    } else {
      piece.copy(this.#whole, this.#position);
    }
    this.#position += piece.length;
    if (this.#position === payloadBytes) this.#end();
  }

  /** The first byte is the type. */
  #begin(piece: Buffer): Buffer {
    const { db, key, expireAtMs, payloadBytes } = this.#head;
    const bodyBytes = payloadBytes - 1 - DUMP_FOOTER_BYTES;
    this.#sink = this.#digest.addLarge({ db, key, expireAtMs, type: piece[0]!, bodyBytes });
    if (this.#sink === undefined) this.#whole = Buffer.allocUnsafeSlow(payloadBytes);
    return piece.subarray(1);
  }

  #end(): void {
    if (this.#whole === undefined) {
      if (!this.#crc.equals(this.#footer, DUMP_FOOTER_BYTES - CHECKSUM_BYTES)) throw this.#damaged();
      this.#sink?.end();
      return;
    }
    const { db, key, expireAtMs } = this.#head;
    const { content } = openPayload(this.#whole);
    this.#whole = undefined;
    this.#digest.add({ db, key, type: content[0]!, expireAtMs, value: content.subarray(1) });
  }

  #damaged(): LifeboatError {
    const message = `read redis payload: ${this.#head.payloadBytes} bytes: crc64 does not match`;
    return new LifeboatError('REDIS_DUMP_CHECKSUM', message);
  }
}
