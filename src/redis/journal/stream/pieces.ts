/** Small buffers are copied together into blocks of this size: a Buffer of its own costs more than a hundred bytes. */
const BLOCK_BYTES = 64 * 1024;
const COPIED_BELOW_BYTES = 4 * 1024;

/** Bytes in memory, first in, first out. */
export class Pieces {
  sizeBytes = 0;
  #pieces: Buffer[] = [];
  #first = 0;
  #block: Buffer = Buffer.alloc(0);
  #used = 0;
  /** The last piece is the used part of the block from here on; -1 when it is not. */
  #blockFrom = -1;

  push(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.sizeBytes += bytes.length;
    if (bytes.length < COPIED_BELOW_BYTES) {
      this.#append(bytes);
      return;
    }
    this.#pieces.push(bytes);
    this.#blockFrom = -1;
  }

  take(count: number): Buffer {
    const result = Buffer.allocUnsafeSlow(Math.min(count, this.sizeBytes));
    this.copyTo(result, 0);
    return result;
  }

  /** Moves as much as fits behind `at`; gives how much that was. */
  copyTo(target: Buffer, at: number): number {
    let filled = at;
    while (filled < target.length && this.sizeBytes > 0) {
      const piece = this.#pieces[this.#first]!;
      const copied = piece.copy(target, filled);
      filled += copied;
      this.sizeBytes -= copied;
      if (copied < piece.length) {
        this.#pieces[this.#first] = piece.subarray(copied);
        if (this.#first === this.#pieces.length - 1) this.#blockFrom = -1;
      } else {
        this.#drop();
      }
    }
    return filled - at;
  }

  #append(bytes: Buffer): void {
    if (this.#used + bytes.length > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#used = 0;
      this.#blockFrom = -1;
    }
    this.#block.set(bytes, this.#used);
    const end = this.#used + bytes.length;
    if (this.#blockFrom < 0) {
      this.#blockFrom = this.#used;
      this.#pieces.push(this.#block.subarray(this.#used, end));
    } else {
      this.#pieces[this.#pieces.length - 1] = this.#block.subarray(this.#blockFrom, end);
    }
    this.#used = end;
  }

  #drop(): void {
    this.#first += 1;
    if (this.#first < this.#pieces.length) return;
    this.#pieces = [];
    this.#first = 0;
    this.#blockFrom = -1;
  }
}
