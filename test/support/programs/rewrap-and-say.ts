// Run by a test in a process of its own: wraps every data key of a store again, and kills itself when it comes to a key of this number,
// while others are being written; 0: never.
import { followKeyring } from '../../../src/encryption/followed-keyring.ts';
import { ensureSigningKey } from '../../../src/encryption/signer.ts';
import { createRepository } from '../../../src/repository/create-repository.ts';
import { createLocalStore } from '../../../src/storage/local-store.ts';

const [, , folder = '', killAt = '0', ...escrow] = process.argv;
const { keys } = await createRepository({
  store: createLocalStore({ root: `${folder}/store` }),
  keyring: await followKeyring({ path: `${folder}/keys/keyring.json`, escrow }),
  signer: await ensureSigningKey(`${folder}/keys/signing.key`),
  group: 'default',
});
const { rewrapped, total, problems } = await keys.rewrap(await keys.activeId(), {
  signal: new AbortController().signal,
  onProgress({ items }) {
    if (items === Number(killAt)) process.kill(process.pid, 'SIGKILL');
  },
});
process.stdout.write(JSON.stringify({ rewrapped, total, problems: problems.length }));
