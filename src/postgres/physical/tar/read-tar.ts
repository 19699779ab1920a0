import { LifeboatError } from '../../../domain/errors.ts';
import { release } from '../../../platform/release-memory.ts';
import { paddingBytes, parseTarHeader, TAR_BLOCK_BYTES, type TarMember } from './tar-header.ts';

/**
 * A tar stream, member by member. Memory: the chunk at hand; it belongs to the reader, and is freed when the next one is asked
 * for. V8 counts such memory against its heap: left to it, marking that heap over and over took a third of the processor
 * time of a restore (measured).
 */
export interface TarReader {
  /** The next member, again until its content was asked for; undefined at the archive's end. */
  peek(): Promise<TarMember | undefined>;
  /** Content of the member that was peeked, in views of the source's chunks, each good until the next is asked for. To be read to its end. */
  content(): AsyncGenerator<Uint8Array, void, undefined>;
  /** Reads what is behind the archive's end, so that an error that the source reports last is not missed. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

export function createTarReader(source: AsyncIterable<Uint8Array>): TarReader {
  const iterator = source[Symbol.asyncIterator]();
  let chunk: Uint8Array = EMPTY;
  let rest: Buffer = EMPTY;
  let member: TarMember | undefined;

  /** Up to `maxBytes`, at least one byte; undefined at the end of the source. */
  const take = async (maxBytes: number): Promise<Buffer | undefined> => {
    while (rest.length === 0) {
      release(chunk);
      const { value, done } = await iterator.next();
      if (done === true) return undefined;
      chunk = value;
      rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    const part = rest.subarray(0, maxBytes);
    rest = rest.subarray(part.length);
    return part;
  };
  async function* takeAll(bytes: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = bytes; left > 0;) {
      const part = await take(left);
      if (part === undefined)
        throw new LifeboatError('POSTGRES_BASE_DAMAGED', 'read a base backup: the archive is cut');
      left -= part.length;
      yield part;
    }
  }
  /** A copy, because a header is kept while the source goes on; part by part, because a part is gone when the next is there. */
  const block = async (bytes: number): Promise<Buffer> => {
    const whole = Buffer.allocUnsafeSlow(bytes);
    let filled = 0;
    for await (const part of takeAll(bytes)) filled += part.copy(whole, filled);
    return whole;
  };

  return {
    async peek() {
      if (member !== undefined) return member;
      const header = await block(TAR_BLOCK_BYTES);
      // Two empty blocks end an archive; nothing that PostgreSQL writes follows the first.
      if (header.every((byte) => byte === 0)) return undefined;
      member = parseTarHeader(header);
      return member;
    },
    async *content() {
      const sizeBytes = member?.sizeBytes ?? 0;
      member = undefined;
      yield* takeAll(sizeBytes);
      if (paddingBytes(sizeBytes) > 0) await block(paddingBytes(sizeBytes));
    },
    async drain() {
      while ((await take(Number.MAX_SAFE_INTEGER)) !== undefined);
    },
    async close() {
      await iterator.return?.();
    },
  };
}

const EMPTY = Buffer.alloc(0);
