/** Memory for blocks, used again: left to the garbage collector it grew the process by 150 MiB (measured). */
export interface BlockMemory {
  readonly blockBytes: number;
  readonly take: () => Buffer;
  /** Nobody may look at the block any more. */
  readonly giveBack: (block: Buffer) => void;
}

export function createBlockMemory(blockBytes: number): BlockMemory {
  const free: ArrayBufferLike[] = [];
  return {
    blockBytes,
    take() {
      const memory = free.pop();
      return memory === undefined ? Buffer.allocUnsafeSlow(blockBytes) : Buffer.from(memory, 0, blockBytes);
    },
    giveBack(block) {
      if (block.buffer.byteLength === blockBytes) free.push(block.buffer);
    },
  };
}

/**
 * The same bytes in blocks, the last one shorter. Each block is a copy: a producer may use its buffer again as soon as
 * it is asked for the next chunk.
 */
export async function* inBlocks(source: AsyncIterable<Uint8Array>, memory: BlockMemory): AsyncGenerator<Buffer> {
  const { blockBytes } = memory;
  let block = memory.take();
  let filled = 0;
  for await (const chunk of source) {
    for (let offset = 0; offset < chunk.byteLength;) {
      const taken = Math.min(chunk.byteLength - offset, blockBytes - filled);
      block.set(chunk.subarray(offset, offset + taken), filled);
      offset += taken;
      filled += taken;
      if (filled < blockBytes) continue;
      yield block;
      block = memory.take();
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

/** Shows each item before it is passed on. */
export async function* tap<T>(source: AsyncIterable<T>, look: (item: T) => void): AsyncGenerator<T> {
  for await (const item of source) {
    look(item);
    yield item;
  }
}

/** Items one by one, with a look at whether there is another. */
export interface PeekableReader<T> {
  hasMore(): Promise<boolean>;
  /** Undefined at the end. */
  take(): Promise<T | undefined>;
  close(): Promise<void>;
}

export function createPeekableReader<T>(source: AsyncIterable<T>): PeekableReader<T> {
  const iterator = source[Symbol.asyncIterator]();
  let next: IteratorResult<T> | undefined;
  return {
    async hasMore() {
      next ??= await iterator.next();
      return next.done !== true;
    },
    async take() {
      next ??= await iterator.next();
      if (next.done === true) return undefined;
      const { value } = next;
      next = undefined;
      return value;
    },
    async close() {
      await iterator.return?.();
    },
  };
}

/** At most `count` items of a reader; the rest stays in it. */
export async function* takeItems<T>(reader: PeekableReader<T>, count: number): AsyncGenerator<T> {
  for (let taken = 0; taken < count; taken += 1) {
    const item = await reader.take();
    if (item === undefined) return;
    yield item;
  }
}

async function* first<R>(running: Promise<R>[]): AsyncGenerator<R> {
  const result = running.shift();
  if (result !== undefined) yield await result;
}

/**
 * Maps items with up to `limit` calls at a time and gives the results in the order of the items. Calls that run are
 * waited for before it ends, also when the reader stops early.
 */
export async function* mapAhead<T, R>(
  source: AsyncIterable<T>,
  limit: number,
  call: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  try {
    for await (const item of source) {
      const result = call(item);
      // Awaited in its turn; a failure before that must not count as unhandled.
      result.catch(() => undefined);
      running.push(result);
      if (running.length >= limit) yield* first(running);
    }
    while (running.length > 0) yield* first(running);
  } finally {
    await Promise.allSettled(running);
  }
}
