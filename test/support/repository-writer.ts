// Run by a test in a process of its own: writes a backup until it is killed. Says each step on stdout.
import { randomBytes } from 'node:crypto';
import { loadKeyring } from '../../src/encryption/keyring.ts';
import { ensureSigningKey } from '../../src/encryption/signer.ts';
import { createRepository } from '../../src/repository/create-repository.ts';
import { createLocalStore } from '../../src/storage/local-store.ts';
import { ENCRYPTED, makeBackup, OPERATION } from '../unit/repository/fixture.ts';

const [, , folder = '', mode = 'endless'] = process.argv;
const repository = await createRepository({
  store: createLocalStore({ root: `${folder}/store` }),
  keyring: await loadKeyring(`${folder}/keys/keyring.json`),
  signer: await ensureSigningKey(`${folder}/keys/signing.key`),
  group: 'default',
  objectBytes: 64 * 1024,
  tool: 'lifeboat/test',
});

async function* endless(): AsyncGenerator<Buffer> {
  for (let chunk = 0; ; chunk += 1) {
    yield randomBytes(16 * 1024);
    if (chunk === 20) process.stdout.write('writing\n');
  }
}

if (mode === 'endless') {
  const { backupId } = await repository.beginBackup({
    kind: 'full',
    createdAt: '2026-01-15T10:30:00.000Z',
    owner: 'run-1',
    codec: ENCRYPTED,
  });
  const attempt = await repository.claimAttempt(backupId, 'postgres');
  const request = { backupId, component: 'postgres', attempt, name: 'dump', format: 'pg-dump-custom' } as const;
  await repository.writeArtifact({ ...request, codec: ENCRYPTED }, endless(), OPERATION);
} else {
  process.stdout.write('writing\n');
  for (let minute = 0; minute < 60; minute += 1) {
    const createdAt = new Date(Date.UTC(2026, 0, 15, 11, minute)).toISOString();
    // Another process is another owner: a time that an earlier one used gives the next free id.
    await makeBackup(repository, { createdAt, owner: `writer-${process.pid}` });
  }
}
