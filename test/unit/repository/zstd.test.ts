import { randomBytes } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { compress, decompress } from '../../../src/repository/objects/zstd.ts';
import { collect, collectBytes } from '../../support/collect.ts';
import { runs } from '../../support/property-runs.ts';

const OPTIONS = { level: 3, inFlight: 3, giveBack: () => undefined };
const CHECKSUM = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };

async function* all<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function cutAt(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const parts: Buffer[] = [];
  let rest = bytes;
  for (let turn = 0; rest.length > 0; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    parts.push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  return parts;
}

test('several frames come back whole, however the stored bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 5 }),
      async (blocks, sizes) => {
        const input = blocks.map((block) => Buffer.from(block));
        const stored = await collectBytes(compress(all(input), OPTIONS));
        const output = await collectBytes(decompress(all(cutAt(stored, sizes))));
        expect(output.equals(Buffer.concat(input))).toBe(true);
      },
    ),
    { seed: 42, numRuns: runs(50) },
  );
});

test('nothing at all is one empty frame', async () => {
  const stored = await collect(compress(all([]), OPTIONS));
  expect(stored).toHaveLength(1);
  expect((await collectBytes(decompress(all(stored)))).length).toBe(0);
});

describe('what is not whole and sound is refused', () => {
  const first = zstdCompressSync(randomBytes(300_000), CHECKSUM);
  const second = zstdCompressSync(Buffer.alloc(300_000, 'abc'), CHECKSUM);
  const flipped = Buffer.from(first);
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;

  test.each([
    ['a cut last frame', Buffer.concat([first, second.subarray(0, -1)])],
    ['a cut first frame', first.subarray(0, 1000)],
    ['half a magic number', Buffer.concat([first, second.subarray(0, 2)])],
    ['bytes behind the last frame', Buffer.concat([first, second, Buffer.from('garbage behind')])],
    ['a wrong checksum', Buffer.concat([flipped, second])],
    ['a frame without checksum', zstdCompressSync(Buffer.from('x'))],
    ['something else', Buffer.from('not zstd at all')],
    ['a skippable frame', Buffer.concat([Buffer.from('502a4d1804000000abcdabcd', 'hex'), first])],
    ['a frame that unpacks to too much', zstdCompressSync(Buffer.alloc(20_000_000), CHECKSUM)],
  ])('%s', async (_what, stored) => {
    await expect(collectBytes(decompress(all([stored])))).rejects.toMatchObject({ code: 'OBJECT_DAMAGED' });
  });
});
