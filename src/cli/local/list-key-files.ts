import { existsSync } from 'node:fs';
import type { Config } from '../../config/schema/config.ts';
import { loadEscrowKey } from '../../encryption/escrow-key.ts';
import { type KeyInfo, loadKeyring } from '../../encryption/keyring.ts';
import { isKmsArn } from '../../encryption/kms-keys.ts';
import { loadSigner } from '../../encryption/signer.ts';

export interface ListedKey {
  readonly purpose: 'encryption' | 'escrow' | 'signing';
  readonly id: string;
  /** An escrow key only has its public half here: it wraps. */
  readonly state: KeyInfo['state'];
  /** ISO 8601; null where the file does not say. */
  readonly created: string | null;
  /** `aws-kms` for a key that stays in the service. */
  readonly path: string;
}

/** Active key first. A signing key that was not made yet is left out. @throws LifeboatError KEY_FILE_*, KMS_* */
export async function listKeyFiles({ encryption, signing }: Config): Promise<readonly ListedKey[]> {
  const { keyPath } = encryption;
  const { kms } = encryption;
  const { keys } = await loadKeyring(keyPath, { kms });
  const own = keys.map(({ id, state, created }): ListedKey => {
    return { purpose: 'encryption', id, state, created: created || null, path: isKmsArn(id) ? 'aws-kms' : keyPath };
  });
  const active = own.toSorted((a, b) => Number(b.state === 'active') - Number(a.state === 'active'));
  const escrow = await Promise.all(encryption.escrow.map(listEscrowKey));
  return [...active, ...escrow, ...(existsSync(signing.keyPath) ? [await listSigningKey(signing.keyPath)] : [])];
}

async function listEscrowKey(path: string): Promise<ListedKey> {
  return { purpose: 'escrow', id: (await loadEscrowKey(path)).id, state: 'active', created: null, path };
}

async function listSigningKey(path: string): Promise<ListedKey> {
  const { publicKey } = await loadSigner(path);
  return { purpose: 'signing', id: publicKey.id, state: 'active', created: null, path };
}
