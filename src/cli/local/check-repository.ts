import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { openPrimaryStore } from '../../assembly/open-stores.ts';
import type { Config } from '../../config/schema/config.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { spaceNeeded } from '../../domain/space-needed.ts';
import { followKeyring } from '../../encryption/followed-keyring.ts';
import { KEY_BYTES, type Keyring } from '../../encryption/keyring.ts';
import { loadPublicKey } from '../../encryption/minisign.ts';
import { loadSigner } from '../../encryption/signer.ts';
import { PROBE_PREFIX } from '../../storage/doctor/probe.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { requireConditionalWrites } from '../../storage/require-conditional-writes.ts';
import { formatBytes } from '../units.ts';
import { attempt, type ConfigCheck, fail, pass, skip } from './check.ts';

/** The store, its space, and the keys that seal what goes into it. One small object is written, read and removed. */
export async function checkRepository(
  config: Config,
  databaseBytes: number | undefined,
): Promise<readonly ConfigCheck[]> {
  let store: ObjectStore | undefined;
  const writable = await attempt('store', async () => {
    store = openPrimaryStore(config);
    return probeStore(store);
  });
  const space =
    writable.status === 'pass' && store !== undefined
      ? await checkSpace(store, databaseBytes)
      : skip('store space', 'not tried: store failed');
  return [
    writable,
    space,
    await checkEncryptionKey(config),
    await checkSigningKey(config),
    ...(await checkTrustedKeys(config)),
  ];
}

async function probeStore(store: ObjectStore): Promise<string> {
  await requireConditionalWrites(store);
  const key = `${PROBE_PREFIX}${randomUUID()}`;
  const sent = Buffer.from('lifeboat config validate');
  try {
    await store.put(key, sent, { ifNoneMatch: true });
    const received = Buffer.concat(await (await store.get(key)).toArray());
    if (!received.equals(sent))
      throw new LifeboatError('STORE_IO', `read ${key} from ${store.url}: other bytes than were written`);
  } finally {
    await store.remove(key);
  }
  return `${store.url}: written, read back, removed`;
}

async function checkSpace(store: ObjectStore, databaseBytes: number | undefined): Promise<ConfigCheck> {
  const space = await store.space?.();
  if (!space) return skip('store space', 'the store cannot tell');
  const needed = spaceNeeded(databaseBytes ?? 0);
  const message = `${formatBytes(space.freeBytes)} free of ${formatBytes(space.totalBytes)}`;
  if (space.freeBytes >= needed) return pass('store space', message);
  const hint = 'make room, or remove old backups with `lifeboat backup cleanup`';
  return fail(
    'store space',
    new LifeboatError('STORE_FULL', `${message}; a full backup may need ${formatBytes(needed)}`, { hint }),
  );
}

async function checkEncryptionKey({ encryption }: Config): Promise<ConfigCheck> {
  if (!encryption.enabled) return skip('encryption key', 'encryption.enabled is false: backups are not encrypted');
  return attempt('encryption key', async () => {
    // As the worker opens it: with the escrow keys that everything is wrapped for.
    const { keyPath, escrow: escrowPaths } = encryption;
    const { kms } = encryption;
    const keyring = await followKeyring({ path: keyPath, escrow: escrowPaths, kms });
    if (kms?.keyArn !== undefined) await tryKey(keyring);
    const keys = keyring.keys.length === 1 ? '1 key' : `${keyring.keys.length} keys`;
    const escrow = keyring.escrowIds.map((id) => `, also for ${id}`).join('');
    return `${kms?.keyArn === undefined ? keyPath : 'AWS KMS'}: ${keys}, active ${keyring.activeId}${escrow}`;
  });
}

/** Wraps and opens once: a service may know the key and still not let us use it. @throws LifeboatError KMS_* */
async function tryKey(keyring: Keyring): Promise<void> {
  const context = { purpose: 'lifeboat-config-validate' };
  const { message } = await keyring.wrap(new Uint8Array(KEY_BYTES), context);
  await keyring.open(message, context);
}

async function checkSigningKey({ signing }: Config): Promise<ConfigCheck> {
  if (!existsSync(signing.keyPath)) {
    return skip(
      'signing key',
      `${signing.keyPath}: not there yet`,
      'make it with `lifeboat key generate`; the first backup makes it as well',
    );
  }
  return attempt('signing key', async () => {
    const { publicKey } = await loadSigner(signing.keyPath);
    return `${signing.keyPath}: public key ${publicKey.id}`;
  });
}

async function checkTrustedKeys({ signing }: Config): Promise<readonly ConfigCheck[]> {
  return Promise.all(
    signing.trustedKeys.map((key, index) =>
      attempt(`trusted key ${index + 1}`, async () => `public key ${(await loadPublicKey(key)).id}`),
    ),
  );
}
