import { tap } from './blocks.ts';

/**
 * What a message may be longer than its plaintext: a header with its context and 32 bytes a frame. Far above what one
 * object adds (9 KiB), and held against every object at its end.
 */
const OVERHEAD_MAX_BYTES = 64 * 1024;

/**
 * Sends blocks through a cipher and gives each one back as soon as nobody can look at it any more. The cipher's streams do
 * not say when that is, but what came out does: a byte of it is a byte of plaintext that was read, or overhead.
 */
export async function* lendBlocks(
  blocks: AsyncIterable<Buffer>,
  encrypt: (source: AsyncIterable<Buffer>) => AsyncIterable<Buffer>,
  giveBack: (block: Buffer) => void,
): AsyncGenerator<Buffer> {
  const lent: { readonly block: Buffer; readonly endBytes: number }[] = [];
  let readBytes = 0;
  let givenBytes = 0;
  const lend = (block: Buffer): void => {
    readBytes += block.length;
    lent.push({ block, endBytes: readBytes });
  };
  for await (const chunk of encrypt(tap(blocks, lend))) {
    givenBytes += chunk.length;
    yield chunk;
    for (let [first] = lent; first !== undefined && first.endBytes + OVERHEAD_MAX_BYTES <= givenBytes; [first] = lent) {
      lent.shift();
      giveBack(first.block);
    }
  }
  const overheadBytes = givenBytes - readBytes;
  if (overheadBytes < 0 || overheadBytes > OVERHEAD_MAX_BYTES) {
    throw new RangeError(`the cipher made ${givenBytes} bytes of ${readBytes}: blocks were given back too early`);
  }
  for (const { block } of lent) giveBack(block);
}
