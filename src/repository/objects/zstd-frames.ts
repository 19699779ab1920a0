import { LifeboatError } from '../../domain/errors.ts';
import { release } from '../../platform/release-memory.ts';

/** RFC 8878 §3.1.1. */
const MAGIC = 0xfd2fb528;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
const CHECKSUM_BYTES = 4;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/** Headers of a frame and of its blocks: 3 bytes for each 128 KiB, and a few more. */
const OVERHEAD_BYTES = 64 * 1024;

/**
 * Cuts a stream of concatenated zstd frames into its frames, by walking their block headers. Needed because Node's
 * decompressor ends without an error after the first frame of a chunk and drops the rest (measured, 24.21).
 * The chunks of `source` belong to this reader, which frees them.
 * OBJECT_DAMAGED for what is not a whole frame with a checksum, or for a frame that cannot come from `maxInputBytes`.
 */
export async function* readFrames(source: AsyncIterable<Uint8Array>, maxInputBytes: number): AsyncGenerator<Buffer> {
  const reader = createByteReader(source);
  try {
    for (let magic = await reader.read(4); magic !== undefined; magic = await reader.read(4)) {
      if (magic.length < 4 || magic.readUInt32LE() !== MAGIC) throw damaged('no zstd frame where one should begin');
      yield await readFrame(reader, magic, maxInputBytes + OVERHEAD_BYTES);
    }
  } finally {
    await reader.close();
  }
}

async function readFrame(reader: ByteReader, magic: Buffer, maxBytes: number): Promise<Buffer> {
  const parts = [magic];
  let total = magic.length;
  const take = async (count: number): Promise<Buffer> => {
    const part = await reader.read(count);
    if (part?.length !== count) throw damaged('the last zstd frame is cut');
    total += count;
    if (total > maxBytes) throw damaged(`a zstd frame is longer than ${maxBytes} bytes`);
    parts.push(part);
    return part;
  };

  const descriptor = (await take(1)).readUInt8();
  if ((descriptor & 0b100) === 0) throw damaged('a zstd frame has no checksum');
  const headerBytes = restOfHeaderBytes(descriptor);
  if (headerBytes > 0) await take(headerBytes);
  for (let last = false; !last;) {
    const header = (await take(3)).readUIntLE(0, 3);
    last = (header & 1) === 1;
    const blockBytes = blockBytesOf(header);
    if (blockBytes > 0) await take(blockBytes);
  }
  await take(CHECKSUM_BYTES);
  const frame = Buffer.concat(parts, total);
  reader.freeSpent();
  return frame;
}

/** Window descriptor, dictionary id and content size, as the frame header's first byte announces them. */
function restOfHeaderBytes(descriptor: number): number {
  const singleSegment = ((descriptor >> 5) & 1) === 1;
  const contentSize = CONTENT_SIZE_BYTES[descriptor >> 6] ?? 0;
  const dictionaryId = DICTIONARY_ID_BYTES[descriptor & 3] ?? 0;
  if (!singleSegment) return 1 + dictionaryId + contentSize;
  return dictionaryId + (contentSize === 0 ? 1 : contentSize);
}

function blockBytesOf(header: number): number {
  const type = (header >> 1) & 3;
  if (type === RESERVED_BLOCK) throw damaged('a zstd block has no known type');
  return type === RLE_BLOCK ? 1 : header >> 3;
}

interface ByteReader {
  /** Exactly `count` bytes; fewer only at the end, undefined where nothing is left. */
  read(count: number): Promise<Buffer | undefined>;
  /** Frees the chunks that were read to their end; nobody may look at what was read before. */
  freeSpent(): void;
  close(): Promise<void>;
}

function createByteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  let chunk: Uint8Array = rest;
  let spent: Uint8Array[] = [];

  const more = async (): Promise<boolean> => {
    const { value, done } = await iterator.next();
    if (done === true) return false;
    spent.push(chunk);
    chunk = value;
    rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return true;
  };

  return {
    async read(count) {
      const parts: Buffer[] = [];
      for (let missing = count; missing > 0;) {
        if (rest.length === 0 && !(await more())) break;
        const part = rest.subarray(0, missing);
        rest = rest.subarray(part.length);
        missing -= part.length;
        if (part.length > 0) parts.push(part);
      }
      return parts.length === 0 ? undefined : parts.length === 1 ? parts[0] : Buffer.concat(parts);
    },
    freeSpent() {
      for (const old of spent) release(old);
      spent = [];
    },
    async close() {
      await iterator.return?.();
    },
  };
}

function damaged(what: string): LifeboatError {
  return new LifeboatError('OBJECT_DAMAGED', `decompress: ${what}`);
}
