import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpillQueue } from '../../../src/redis/journal/stream/spill-queue.ts';
import type { LifeboatError } from '../../../src/domain/errors.ts';

const MIB = 1024 ** 2;
let directory: string;
beforeAll(async () => (directory = await mkdtemp(join(tmpdir(), 'lifeboat-test-spill-'))));
afterAll(async () => await rm(directory, { recursive: true }));

/** Bytes that say where they belong. */
function numbered(from: number, count: number): Buffer {
  const bytes = Buffer.alloc(count);
  for (let index = 0; index < count; index += 1) bytes[index] = ((from + index) * 2_654_435_761) >>> 24;
  return bytes;
}

function open(maxBytes: number): { queue: SpillQueue; failures: LifeboatError[] } {
  const failures: LifeboatError[] = [];
  const queue = new SpillQueue({
    directory,
    maxBytes,
    onRelief: () => undefined,
    onFailure: (error) => failures.push(error),
  });
  return { queue, failures };
}

describe('the queue of what is to be stored', () => {
  test.each([16 * MIB, 5 * MIB + 17])(
    'gives back what went in, over memory and a ring of %i bytes',
    async (maxBytes) => {
      const { queue, failures } = open(maxBytes);
      let [pushed, taken] = [0, 0];
      // A walk whose steps are fixed: sizes that make the ring wrap at uneven places.
      for (let step = 0; step < 600; step += 1) {
        const size = (step * 7919) % 300_000;
        if (queue.sizeBytes + size < maxBytes + 6 * MIB && step % 5 !== 4) {
          queue.push(numbered(pushed, size));
          pushed += size;
        } else {
          const wanted = Math.min(queue.sizeBytes, (step * 104_729) % (6 * MIB));
          expect((await queue.take(wanted)).equals(numbered(taken, wanted))).toBe(true);
          taken += wanted;
        }
        expect(queue.sizeBytes).toBe(pushed - taken);
        if (step % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const rest = await queue.take(queue.sizeBytes);
      expect(rest.equals(numbered(taken, rest.length))).toBe(true);
      expect(taken + rest.length).toBe(pushed);
      expect(pushed).toBeGreaterThan(40 * MIB);
      expect(failures).toEqual([]);
      await queue.close();
    },
  );

  test('has a file only when memory does not do, and one without a name', async () => {
    const { queue } = open(64 * MIB);
    queue.push(Buffer.alloc(7 * MIB));
    expect(queue.full).toBe(false);
    for (let n = 0; n < 20; n += 1) {
      queue.push(Buffer.alloc(MIB, n));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(await readdir(directory)).toEqual([]);
    expect((await queue.take(27 * MIB)).at(-1)).toBe(19);
    await queue.close();
  });

  test('says that it is full, and that the disk refuses', async () => {
    const { queue } = open(2 * MIB);
    for (let n = 0; n < 12; n += 1) queue.push(Buffer.alloc(MIB));
    expect(queue.full).toBe(true);
    await queue.take(11 * MIB);
    expect(queue.full).toBe(false);
    await queue.close();

    const failures: LifeboatError[] = [];
    const broken = new SpillQueue({
      directory: join(directory, 'missing', 'too'),
      maxBytes: 64 * MIB,
      onRelief: () => undefined,
      onFailure: (error) => failures.push(error),
    });
    for (let n = 0; n < 12; n += 1) broken.push(Buffer.alloc(MIB));
    for (let n = 0; n < 100 && failures.length === 0; n += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(failures.map(({ code }) => code)).toEqual(['REDIS_SPILL_FULL']);
    await broken.close();
  });
});
