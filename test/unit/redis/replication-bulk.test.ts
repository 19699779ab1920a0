import { LifeboatError } from '../../../src/domain/errors.ts';
import { readBulk } from '../../../src/redis/replication/bulk.ts';
import type { ReplicationInput } from '../../../src/redis/replication/input.ts';

const MARK = '0123456789abcdef0123456789abcdef01234567';
const BODY = Buffer.from(Array.from({ length: 300 }, (_, index) => index % 251));

/** A master that sends the header, then these pieces, then goes away. */
function input(header: string, pieces: readonly Buffer[]): ReplicationInput {
  const left = [...pieces];
  return {
    line: () => Promise.resolve(header),
    chunk: () => {
      const next = left.shift();
      return next === undefined
        ? Promise.reject(new LifeboatError('REDIS_CONNECTION_LOST', 'gone'))
        : Promise.resolve(next);
    },
  };
}

function cut(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

async function read(header: string, pieces: readonly Buffer[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of readBulk(input(header, pieces), 'test')) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Sizes of pieces, of all there are, with which something else than the body comes out. */
async function sizesThatChange(header: string, stream: Buffer): Promise<number[]> {
  const wrong: number[] = [];
  for (let size = 1; size <= stream.length; size += 1) {
    if (!(await read(header, cut(stream, size))).equals(BODY)) wrong.push(size);
  }
  return wrong;
}

test('a marked snapshot ends before its mark, wherever reads cut it', async () => {
  const stream = Buffer.concat([BODY, Buffer.from(MARK)]);
  expect(await sizesThatChange(`$EOF:${MARK}`, stream)).toEqual([]);
});

test('a mark inside of the snapshot does not end it', async () => {
  const stream = Buffer.concat([BODY, Buffer.from(MARK), BODY, Buffer.from(MARK)]);
  expect(await read(`$EOF:${MARK}`, [stream])).toEqual(stream.subarray(0, -40));
});

test('a marked snapshot without its mark is a lost connection', async () => {
  const stream = Buffer.concat([BODY, Buffer.from(MARK)]);
  for (let end = 0; end < stream.length; end += 1) {
    await expect(read(`$EOF:${MARK}`, cut(stream.subarray(0, end), 64))).rejects.toMatchObject({
      code: 'REDIS_CONNECTION_LOST',
    });
  }
});

test('a counted snapshot ends after its bytes, and what follows is left', async () => {
  const stream = Buffer.concat([BODY, Buffer.from('*1\r\n$4\r\nPING\r\n')]);
  expect(await sizesThatChange('$300', stream)).toEqual([]);
  await expect(read('$301', [BODY])).rejects.toMatchObject({ code: 'REDIS_CONNECTION_LOST' });
});

test('a master that could not make the snapshot says so', async () => {
  await expect(read("-ERR BGSAVE failed, replication can't continue", [])).rejects.toMatchObject({
    code: 'REDIS_NOT_READY',
  });
  await expect(read('+CONTINUE', [])).rejects.toMatchObject({ code: 'REDIS_PROTOCOL_ERROR' });
});
