import { generateEscrowKey } from '../../encryption/escrow-key.ts';
import { generateKeyring } from '../../encryption/keyring.ts';
import { ensureSigningKey } from '../../encryption/signer.ts';

export interface MadeKey {
  readonly purpose: 'encryption' | 'signing' | 'escrow';
  readonly path: string;
  readonly id: string;
  /** The half that may be shown; null for a keyring, which has none. */
  readonly publicKeyPath: string | null;
}

/** Makes the keyring first: it is what refuses to be written over. @throws LifeboatError KEY_FILE_* */
export async function generateKeys(paths: {
  readonly keyringPath: string;
  readonly signingPath: string;
}): Promise<readonly MadeKey[]> {
  const keyring = await generateKeyring(paths.keyringPath);
  const { publicKey } = await ensureSigningKey(paths.signingPath);
  return [
    { purpose: 'encryption', path: paths.keyringPath, id: keyring.activeId, publicKeyPath: null },
    { purpose: 'signing', path: paths.signingPath, id: publicKey.id, publicKeyPath: `${paths.signingPath}.pub` },
  ];
}

/** The key that opens everything when the keyring is lost. @throws LifeboatError KEY_FILE_* */
export async function generateEscrow(path: string): Promise<MadeKey> {
  const { id } = await generateEscrowKey(path);
  return { purpose: 'escrow', path, id, publicKeyPath: `${path}.pub` };
}
