// Run by a test in a process of its own: writes journal epochs until it is killed. Says on stdout what was confirmed.
import { loadKeyring } from '../../src/encryption/keyring.ts';
import { ensureSigningKey } from '../../src/encryption/signer.ts';
import { messageOf } from '../../src/domain/errors.ts';
import { createRepository } from '../../src/repository/create-repository.ts';
import { createLocalStore } from '../../src/storage/local-store.ts';
import { ENCRYPTED } from '../unit/repository/fixture.ts';
import { openStream, putChunk, streamDurable } from '../unit/repository/journal-fixture.ts';

const CHUNK_BYTES = 100;
const [, , folder = '', chunks = '100000'] = process.argv;
const { journals } = await createRepository({
  store: createLocalStore({ root: `${folder}/store` }),
  keyring: await loadKeyring(`${folder}/keys/keyring.json`),
  signer: await ensureSigningKey(`${folder}/keys/signing.key`),
  group: 'default',
  tool: 'lifeboat/test',
});
process.stdout.write('started\n');

try {
  const before = (await journals.catalog('redis')).epochs.at(-1) ?? null;
  let at = Number(before?.durable.at ?? 0);
  const fromMs = before?.durable.timeMs;
  const writer = await openStream(journals, {
    codec: ENCRYPTED,
    from: at,
    continues: before,
    ...(fromMs === undefined ? {} : { fromMs }),
  });
  process.stdout.write(`opened ${writer.epoch}\n`);
  for (let chunk = 0; chunk < Number(chunks); chunk += 1) {
    // Two at once, as a journal that catches up does it.
    await Promise.all([
      putChunk(writer, at, at + CHUNK_BYTES),
      putChunk(writer, at + CHUNK_BYTES, at + 2 * CHUNK_BYTES),
    ]);
    at += 2 * CHUNK_BYTES;
    await writer.commit(streamDurable(at));
    process.stdout.write(`confirmed ${at}\n`);
  }
} catch (error) {
  process.stdout.write(`ended ${error instanceof Error && 'code' in error ? String(error.code) : messageOf(error)}\n`);
}
