import { randomBytes } from 'node:crypto';
import { lendBlocks } from '../../../src/repository/objects/lent-blocks.ts';
import { releasing } from '../../../src/platform/release-memory.ts';
import { ENCRYPTED, openPlace, OPERATION, PLAIN, POSTGRES_FACTS as facts, type TestPlace } from './fixture.ts';
import { createRepository } from '../../../src/repository/create-repository.ts';

const MIB = 1024 * 1024;

describe('memory of a backup', () => {
  let place: TestPlace;
  beforeAll(async () => (place = await openPlace()));
  afterAll(async () => place.remove());

  it.each([
    ['encrypted, compressed by its producer', ENCRYPTED, 'zstd:3'],
    ['encrypted and compressed', ENCRYPTED, undefined],
    ['plain', PLAIN, undefined],
  ] as const)('%s, blocks used again and freed leave every byte as it was', async (_, codec, producerCompression) => {
    const { keyring, signer, store } = place;
    const repository = await createRepository({ store, keyring, signer, group: 'default', objectBytes: 4 * MIB });
    const createdAt = new Date().toISOString();
    const { backupId } = await repository.beginBackup({ kind: 'full', createdAt, owner: createdAt, codec });
    const attempt = await repository.claimAttempt(backupId, 'postgres');
    const data = randomBytes(9 * MIB + 12_345);
    const request = {
      backupId,
      component: 'postgres',
      attempt,
      name: 'data',
      format: 'pg-dump-custom',
      codec,
    } as const;
    const artifact = await repository.writeArtifact(
      { ...request, ...(producerCompression === undefined ? {} : { producerCompression }) },
      releasing(inPieces(data, 28_672)),
      OPERATION,
    );
    expect(artifact.objects).toHaveLength(3);
    const ref = await repository.writeComponent({
      backupId,
      component: 'postgres',
      attempt,
      facts,
      artifacts: [artifact],
    });
    const manifest = await repository.publish({
      backupId,
      kind: 'full',
      codec,
      label: {},
      holds: [],
      components: [ref],
      recoveryPoint: { time: createdAt, postgres: { timeline: 1, lsn: '0/16B3748' } },
      createdAt,
      finishedAt: createdAt,
      warnings: [],
    });
    const read: Buffer[] = [];
    for await (const chunk of repository.readArtifact(manifest, 'postgres', 'data', OPERATION))
      read.push(Buffer.from(chunk));
    expect(Buffer.concat(read).equals(data)).toBe(true);
  });

  it('a block comes back only after the cipher must have read it', async () => {
    const blocks: Buffer[] = Array.from({ length: 40 }, () => Buffer.allocUnsafeSlow(64 * 1024));
    const read: Buffer[] = [];
    const early: number[] = [];
    // Holds eight blocks back before it gives anything of them, as a cipher with frames does.
    async function* cipher(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      let held: Buffer[] = [];
      for await (const block of source) {
        held.push(block);
        if (held.length < 8) continue;
        for (const one of held) {
          read.push(one);
          yield Buffer.from(one);
        }
        held = [];
      }
    }
    const giveBack = (block: Buffer): void => {
      if (!read.includes(block)) early.push(blocks.indexOf(block));
      given.push(block);
    };
    const given: Buffer[] = [];
    for await (const _ of lendBlocks(each(blocks), cipher, giveBack))
      expect(given.length).toBeLessThan(read.length + 1);
    expect(early).toEqual([]);
    expect(given).toEqual(blocks);
  });

  it('a cipher that adds more than the bound is refused', async () => {
    async function* wasteful(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const block of source) yield Buffer.concat([block, Buffer.alloc(70_000)]);
    }
    const lent = lendBlocks(each([Buffer.alloc(10)]), wasteful, () => undefined);
    await expect(drain(lent)).rejects.toThrow('given back too early');
  });

  it('memory shared with others is not freed', async () => {
    const small = Buffer.from('a small text in the pool');
    const own = Buffer.allocUnsafeSlow(100);
    for await (const _ of releasing(each([small, own])));
    expect(small.toString()).toBe('a small text in the pool');
    expect(own.buffer.byteLength).toBe(0);
  });
});

async function drain(source: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of source);
}

async function* each(items: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* items;
}

async function* inPieces(data: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < data.length; start += size) {
    const piece = Buffer.allocUnsafeSlow(Math.min(size, data.length - start));
    data.copy(piece, 0, start);
    yield piece;
  }
}
