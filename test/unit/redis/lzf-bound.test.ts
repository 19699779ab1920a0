import { decompressLzf } from '../../../src/redis/rdb/lzf.ts';

test('a size that no packed data can have is refused before memory is taken', () => {
  expect(() => decompressLzf(Buffer.from([0, 65]), 2 ** 40)).toThrow('cannot unpack');
});
