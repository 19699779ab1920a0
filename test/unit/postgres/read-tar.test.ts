import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createTarReader } from '../../../src/postgres/physical/tar/read-tar.ts';

const FILES = { empty: 0, small: 100, block: 512, odd: 1_537, large: 9_000 } as const;
let archive: Buffer;

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-test-tar-'));
  try {
    for (const [name, bytes] of Object.entries(FILES)) writeFileSync(join(folder, name), contentOf(name, bytes));
    archive = execFileSync('tar', ['--format=ustar', '-cf', '-', '-C', folder, ...Object.keys(FILES)]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const contentOf = (name: string, bytes: number): Buffer => Buffer.alloc(bytes, `${name} `);

/** Pieces that own their memory, as those of a pipe do: the reader frees it. */
async function* cutAt(places: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...new Set([...places, archive.length])].toSorted((left, right) => left - right);
  for (const [index, end] of ends.entries()) yield Uint8Array.from(archive.subarray(ends[index - 1] ?? 0, end));
}

async function readAll(source: AsyncIterable<Uint8Array>): Promise<Record<string, Buffer>> {
  const reader = createTarReader(source);
  const found: Record<string, Buffer> = {};
  for (let member = await reader.peek(); member !== undefined; member = await reader.peek()) {
    const { name } = member;
    const parts: Buffer[] = [];
    for await (const part of reader.content()) parts.push(Buffer.from(part));
    found[name] = Buffer.concat(parts);
  }
  await reader.drain();
  return found;
}

test('an archive is read the same wherever its stream is cut, in the middle of a header too', async () => {
  const expected = Object.fromEntries(Object.entries(FILES).map(([name, bytes]) => [name, contentOf(name, bytes)]));
  const places = fc.array(fc.integer({ min: 1, max: archive.length - 1 }), { maxLength: 60 });
  await fc.assert(fc.asyncProperty(places, async (cuts) => expect(await readAll(cutAt(cuts))).toEqual(expected)));
});
