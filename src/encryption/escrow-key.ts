import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { LifeboatError } from '../domain/errors.ts';
import { createPublicFile, createSecretFile } from './key-file.ts';

/** NIST SP 800-57: good beyond 2030; a smaller one would be the weakest part of everything. */
const BITS_MIN = 3072;
const BITS_NEW = 4096;

/**
 * An RSA key that opens everything, kept where the backups and the keyring are not. The worker has the public half, which only wraps.
 * Its text stays inside the encryption folder.
 */
export interface EscrowKey {
  /** `escrow-` and 16 hex digits: the beginning of the SHA-256 of the public half (SubjectPublicKeyInfo, DER). */
  readonly id: string;
  /** PEM. */
  readonly publicKey: string;
  readonly privateKey?: string;
}

/** The public half, of a file in PEM. @throws LifeboatError KEY_FILE_MISSING, KEY_FILE_INVALID */
export async function loadEscrowKey(path: string): Promise<EscrowKey> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new LifeboatError('KEY_FILE_MISSING', `open escrow key ${path}: not readable`, { cause: error });
  });
  if (isPrivateKey(text)) {
    throw new LifeboatError('KEY_FILE_INVALID', `escrow key ${path}: the private half`, {
      hint: 'name the public half here (`….pub`), and take the private one away from this machine',
    });
  }
  return publicHalf(
    parsed(() => createPublicKey(text), path),
    path,
  );
}

/** Makes a key: the private half in a new file (0600), the public one beside it as `<path>.pub`. KEY_FILE_EXISTS. */
export async function generateEscrowKey(path: string): Promise<EscrowKey> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: BITS_NEW });
  await createSecretFile(path, String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
  const key = publicHalf(publicKey, path);
  await createPublicFile(`${path}.pub`, key.publicKey);
  return key;
}

export function isPrivateKey(text: string): boolean {
  return /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/.test(text);
}

/** @throws LifeboatError KEY_FILE_INVALID */
export function parseEscrowSecret(text: string, path: string): EscrowKey {
  const privateKey = parsed(() => createPrivateKey(text), path);
  const secret = { value: String(privateKey.export({ type: 'pkcs8', format: 'pem' })), enumerable: false };
  const half = publicHalf(createPublicKey(privateKey), path);
  return Object.defineProperty({ ...half }, 'privateKey', secret);
}

function publicHalf(key: KeyObject, path: string): EscrowKey {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < BITS_MIN) {
    const what = `${key.asymmetricKeyType} of ${bits} bits`;
    throw new LifeboatError('KEY_FILE_INVALID', `escrow key ${path}: ${what}, not RSA of ${BITS_MIN} or more`);
  }
  const digest = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
  return { id: `escrow-${digest.slice(0, 16)}`, publicKey: String(key.export({ type: 'spki', format: 'pem' })) };
}

/** The cause does not go along: it can quote the text. */
function parsed(parse: () => KeyObject, path: string): KeyObject {
  try {
    return parse();
  } catch {
    throw new LifeboatError('KEY_FILE_INVALID', `escrow key ${path}: not an RSA key in PEM without a passphrase`);
  }
}
