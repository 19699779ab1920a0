import { createHash, hash, type Hash } from 'node:crypto';

/** What is hashed in one call: nearly every key and element fits; the rest is streamed. */
const SCRATCH_BYTES = 64 * 1024;
/** The longest varint of a safe integer. */
const VARINT_MAX_BYTES = 8;

/**
 * SHA-256 over a sequence of self-delimiting parts. One-shot hashing with text output is four times as fast as a Hash
 * object (measured 0.8 µs against 3.6 µs for 100 bytes), so short inputs are gathered first.
 */
export class CanonicalHasher {
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #used = 0;
  #stream: Hash | undefined;

  byte(value: number): void {
    if (this.#used === SCRATCH_BYTES) this.#spill();
    this.#scratch[this.#used] = value;
    this.#used += 1;
  }

  /** A safe integer from 0 up: 7 bits a byte, lowest first. */
  varint(value: number): void {
    if (this.#used + VARINT_MAX_BYTES > SCRATCH_BYTES) this.#spill();
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.#scratch[this.#used++] = (rest % 128) | 128;
    this.#scratch[this.#used++] = rest;
  }

  unsigned64(value: bigint): void {
    if (this.#used + 8 > SCRATCH_BYTES) this.#spill();
    this.#used = this.#scratch.writeBigUInt64LE(value, this.#used);
  }

  double(value: number): void {
    if (this.#used + 8 > SCRATCH_BYTES) this.#spill();
    this.#used = this.#scratch.writeDoubleLE(value, this.#used);
  }

  /** Bytes behind their length. */
  bytes(value: Buffer): void {
    this.varint(value.length);
    this.raw(value);
  }

  /** Bytes whose length is known to the reader. */
  raw(value: Buffer): void {
    if (this.#used + value.length > SCRATCH_BYTES) this.#spill();
    if (value.length > SCRATCH_BYTES) {
      this.#stream!.update(value);
      return;
    }
    this.#scratch.set(value, this.#used);
    this.#used += value.length;
  }

  /** The 32 bytes as a latin1 string; the hasher is empty again. */
  finish(): string {
    const rest = this.#scratch.subarray(0, this.#used);
    this.#used = 0;
    if (this.#stream === undefined) return hash('sha256', rest, 'binary');
    const digest = this.#stream.update(rest).digest('binary');
    this.#stream = undefined;
    return digest;
  }

  /** Forgets what was gathered: for a value that broke in the middle. */
  reset(): void {
    this.#used = 0;
    this.#stream = undefined;
  }

  #spill(): void {
    this.#stream ??= createHash('sha256');
    this.#stream.update(this.#scratch.subarray(0, this.#used));
    this.#used = 0;
  }
}
