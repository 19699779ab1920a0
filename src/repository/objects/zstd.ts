import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import { isNativeError } from 'node:util/types';
import { constants, createZstdCompress, zstdDecompress } from 'node:zlib';
import { LifeboatError } from '../../domain/errors.ts';
import { mapAhead } from './blocks.ts';
import { readFrames } from './zstd-frames.ts';

const decompressAsync = promisify(zstdDecompress);

/**
 * Input of one zstd frame. Blocks are compressed side by side on the thread pool: measured 6.0 s for 1.6 GB with
 * encryption, where one zstd stream took 10.3 s. More threads inside one stream (ZSTD_c_nbWorkers) break in Node 24.
 * 2 MiB compress as fast and as well as 4 MiB and take half the memory.
 */
export const ZSTD_BLOCK_BYTES = 2 * 1024 * 1024;
/** What a reader accepts, so that blocks may grow without a new format. */
const FRAME_INPUT_MAX_BYTES = 4 * 1024 * 1024;
const FRAMES_AHEAD = 2;
/** Output memory of one step; Node's 16 KiB would send each block through the thread pool a hundred times. */
const COMPRESSED_BYTES = 1024 * 1024;

export interface CompressOptions {
  readonly level: number;
  /** Blocks compressed at once. */
  readonly inFlight: number;
  /** Called with a block that is not needed any more. */
  readonly giveBack: (block: Buffer) => void;
}

/** Concatenated zstd frames, one a block, each with its content checksum; one empty frame for no block. */
export async function* compress(blocks: AsyncIterable<Buffer>, options: CompressOptions): AsyncGenerator<Buffer> {
  const call = async (block: Buffer): Promise<Buffer> => {
    const frame = await compressBlock(block, options.level);
    options.giveBack(block);
    return frame;
  };
  let frames = 0;
  for await (const frame of mapAhead(blocks, options.inFlight, call)) {
    frames += 1;
    yield frame;
  }
  if (frames === 0) yield compressBlock(Buffer.alloc(0), options.level);
}

/** As `zstdCompress`, which leaves the memory it made the frame in to the garbage collector: see `releasing`. */
async function compressBlock(block: Buffer, level: number): Promise<Buffer> {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
  const stream = createZstdCompress({ params, pledgedSrcSize: block.length, chunkSize: COMPRESSED_BYTES });
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => void pieces.push(piece)).end(block);
  await finished(stream);
  const frame = Buffer.concat(pieces);
  // Several pieces lie in the same memory.
  for (const { buffer } of pieces) if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
  return frame;
}

/** What `compress` was given. OBJECT_DAMAGED for anything else: a cut frame, a wrong checksum, bytes behind the end. */
export async function* decompress(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  yield* mapAhead(readFrames(source, FRAME_INPUT_MAX_BYTES), FRAMES_AHEAD, async (frame) => {
    try {
      return await decompressAsync(frame, { maxOutputLength: FRAME_INPUT_MAX_BYTES, chunkSize: ZSTD_BLOCK_BYTES });
    } catch (error) {
      const what = isNativeError(error) ? error.message : String(error);
      throw new LifeboatError('OBJECT_DAMAGED', `decompress: ${what}`, { cause: error });
    }
  });
}
