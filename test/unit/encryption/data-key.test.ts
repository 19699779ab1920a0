import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataKey } from '../../../src/encryption/data-key.ts';
import { makeDataKey, openDataKey } from '../../../src/encryption/data-key.ts';
import { generateKeyring, type Keyring } from '../../../src/encryption/keyring.ts';
import { collect, collectBytes } from '../../support/collect.ts';

const WRAPPING = { purpose: 'test', backupId: 'b1' };
const CONTEXT = { backupId: 'b1', object: 'o1' };

let folder: string;
let keyring: Keyring;
let key: DataKey;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-data-key-'));
  keyring = await generateKeyring(join(folder, 'keyring.json'));
  key = await openDataKey(keyring, await makeDataKey(keyring, WRAPPING), WRAPPING);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function* cut(bytes: Buffer, chunkBytes = 50_000): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) yield bytes.subarray(offset, offset + chunkBytes);
}

test.each([0, 1, 1_048_575, 1_048_576, 1_048_577, 3_500_000])('%d bytes come back', async (sizeBytes) => {
  const plain = randomBytes(sizeBytes);
  const sealed = await collectBytes(key.encrypt(cut(plain), CONTEXT));
  expect(sealed.includes(plain.subarray(0, 64)) && sizeBytes > 64).toBe(false);
  expect((await collectBytes(key.decrypt(cut(sealed), CONTEXT))).equals(plain)).toBe(true);
});

test('a message made for another object gives no byte', async () => {
  const sealed = await collectBytes(key.encrypt(cut(randomBytes(3_000_000)), { ...CONTEXT, object: 'o2' }));
  const given: Buffer[] = [];
  const reading = (async () => {
    for await (const chunk of key.decrypt(cut(sealed), CONTEXT)) given.push(chunk);
  })();
  await expect(reading).rejects.toMatchObject({ code: 'OBJECT_MISPLACED' });
  expect(given).toEqual([]);
});

test('every cut and every flipped byte is refused', async () => {
  const sealed = await collectBytes(key.encrypt(cut(randomBytes(1_200_000)), CONTEXT));
  for (let trial = 0; trial < 40; trial += 1) {
    const position = Math.floor((sealed.length * trial) / 40);
    const flipped = Buffer.from(sealed);
    flipped[position] = (flipped[position] ?? 0) ^ 1;
    const damage = { code: expect.stringMatching(/^OBJECT_(DAMAGED|MISPLACED)$/) };
    await expect(collect(key.decrypt(cut(sealed.subarray(0, position)), CONTEXT))).rejects.toMatchObject(damage);
    await expect(collect(key.decrypt(cut(flipped), CONTEXT))).rejects.toMatchObject(damage);
  }
});

test('the data key of another backup opens nothing', async () => {
  const other = await openDataKey(keyring, await makeDataKey(keyring, WRAPPING), WRAPPING);
  const sealed = await collectBytes(key.encrypt(cut(randomBytes(1000)), CONTEXT));
  expect(other.checkValue).not.toBe(key.checkValue);
  await expect(collect(other.decrypt(cut(sealed), CONTEXT))).rejects.toMatchObject({ code: 'OBJECT_DAMAGED' });
});

// The library's own stream ends the process when it is destroyed in the middle; these would not come back.
describe('an encryption that does not come to its end', () => {
  const endless = async function* (): AsyncGenerator<Buffer> {
    for (;;) yield randomBytes(300_000);
  };

  test('because the source throws gives the error of the source', async () => {
    const failure = new Error('producer died');
    for (const chunksBefore of [0, 1, 5, 20]) {
      const source = async function* (): AsyncGenerator<Buffer> {
        for (let chunk = 0; chunk < chunksBefore; chunk += 1) yield randomBytes(300_000);
        throw failure;
      };
      await expect(collect(key.encrypt(source(), CONTEXT))).rejects.toBe(failure);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  });

  test('because the reader stops closes the source', async () => {
    for (const direction of ['encrypt', 'decrypt'] as const) {
      let closed = false;
      const inner = direction === 'encrypt' ? endless() : key.encrypt(endless(), CONTEXT);
      const source = async function* (): AsyncGenerator<Buffer> {
        try {
          yield* inner;
        } finally {
          closed = true;
        }
      };
      let bytes = 0;
      for await (const chunk of key[direction](source(), CONTEXT)) {
        bytes += chunk.length;
        if (bytes > 3_000_000) break;
      }
      expect(closed).toBe(true);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  });
});

test('a wrapped key opens for its own context only', async () => {
  const wrapped = await makeDataKey(keyring, WRAPPING);
  const elsewhere = openDataKey(keyring, wrapped, { ...WRAPPING, backupId: 'b2' });
  await expect(elsewhere).rejects.toMatchObject({ code: 'KEY_DAMAGED' });
  const other = await generateKeyring(join(folder, 'other.json'));
  await expect(openDataKey(other, wrapped, WRAPPING)).rejects.toMatchObject({ code: 'KEY_MISMATCH' });
  const recorded = openDataKey(keyring, { ...wrapped, keyCheckValue: '0'.repeat(16) }, WRAPPING);
  await expect(recorded).rejects.toMatchObject({ code: 'KEY_MISMATCH' });
});
