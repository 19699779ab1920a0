/**
 * Parts of a multipart upload. 10 000 are the most there may be: one object can have 80 GB. A put holds the parts under way
 * and the one that is being filled, each in memory that is used again: (4 + 1) × 8 MiB.
 */
export const PART_BYTES = 8 * 1024 * 1024;
export const PARTS_IN_FLIGHT = 4;

/** Memory of a body that may turn out to be small. */
const FIRST_BYTES = 256 * 1024;

export interface Part {
  /** From 1. */
  readonly number: number;
  readonly bytes: Buffer;
  readonly isLast: boolean;
}

/** Memory of parts, used again when they are given back. */
export interface PartMemory {
  /** Of a whole part. */
  take(): Buffer;
  giveBack(part: Part): void;
  /** Frees at once what nobody uses any more, instead of when the collector comes by. */
  close(): void;
}

export function createPartMemory(): PartMemory {
  const free: Buffer[] = [];
  return {
    take: () => free.pop() ?? Buffer.allocUnsafeSlow(PART_BYTES),
    giveBack({ bytes }) {
      const whole = Buffer.from(bytes.buffer);
      if (whole.length === PART_BYTES) free.push(whole);
    },
    close() {
      for (const { buffer } of free.splice(0)) if (buffer instanceof ArrayBuffer) buffer.transfer(0);
    },
  };
}

/**
 * The bytes of the chunks in parts of equal size; the last one is shorter, and the only one of an empty body. Chunks are copied:
 * their memory may be used again when the next is asked for.
 */
export async function* cutParts(chunks: AsyncIterable<Uint8Array>, memory: PartMemory): AsyncGenerator<Part> {
  let filling: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  let length = 0;
  let number = 1;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength;) {
      if (length === PART_BYTES) {
        yield { number, bytes: filling, isLast: false };
        [filling, length, number] = [memory.take(), 0, number + 1];
      }
      const end = Math.min(chunk.byteLength, at + PART_BYTES - length);
      if (length + end - at > filling.length) filling = grown(filling.subarray(0, length), memory.take());
      filling.set(chunk.subarray(at, end), length);
      length += end - at;
      at = end;
    }
  }
  yield { number, bytes: filling.subarray(0, length), isLast: true };
}

function grown(bytes: Buffer, into: Buffer): Buffer {
  into.set(bytes);
  return into;
}
