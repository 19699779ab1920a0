import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { LifeboatError } from '../domain/errors.ts';
import { createPublicFile, createSecretFile, readSecretFile } from './key-file.ts';
import { createPublicKeyOf, type PublicKey, publicKeyFile, signMessage } from './minisign.ts';

/** What stands before the 32-byte seed in the DER form of an Ed25519 private key (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** minisign's secret key: `Ed`, no key derivation, `B2`, salt and limits, then key id, seed, public key, checksum. */
const LAYOUT = { bytes: 158, keyId: 54, seed: 62, publicKey: 94, checksum: 126 } as const;
const HEADER_UNENCRYPTED = Buffer.from([0x45, 0x64, 0, 0, 0x42, 0x32]);

/** Signs manifests. The key stays inside: it is in no property. */
export interface Signer {
  readonly publicKey: PublicKey;
  /** Text of a `.minisig` file. The same message and comment give the same text. */
  sign(message: Uint8Array, trustedComment: string): string;
}

/** Reads a secret key as `minisign -G -W` writes it (no password). KEY_FILE_* errors. */
export async function loadSigner(path: string): Promise<Signer> {
  const line = (await readSecretFile(path)).trim().split('\n')[1] ?? '';
  const bytes = Buffer.from(line.trim(), 'base64');
  if (bytes.length !== LAYOUT.bytes || !bytes.subarray(0, 6).equals(HEADER_UNENCRYPTED)) {
    throw new LifeboatError('KEY_FILE_INVALID', `signing key ${path}: not a minisign key without password`);
  }
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, bytes.subarray(LAYOUT.seed, LAYOUT.publicKey)]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicBytes = publicBytesOf(privateKey);
  // Without a password minisign keeps no checksum; the two halves of the key check each other instead.
  if (!publicBytes.equals(bytes.subarray(LAYOUT.publicKey, LAYOUT.checksum))) {
    throw new LifeboatError('KEY_FILE_INVALID', `signing key ${path}: its halves do not belong together`);
  }
  const keyId = Buffer.from(bytes.subarray(LAYOUT.keyId, LAYOUT.seed));
  return {
    publicKey: createPublicKeyOf(keyId, publicBytes),
    sign: (message, trustedComment) => signMessage({ privateKey, keyId }, message, trustedComment),
  };
}

/** The signing key of a path; made, with its public key in `<path>.pub`, where there is none. */
export async function ensureSigningKey(path: string): Promise<Signer> {
  try {
    await createSecretFile(path, newSecretKey());
  } catch (error) {
    // Made earlier, or by another process a moment ago: that one is the key.
    if (!(error instanceof LifeboatError && error.code === 'KEY_FILE_EXISTS')) throw error;
  }
  const signer = await loadSigner(path);
  await ensurePublicFile(`${path}.pub`, publicKeyFile(signer.publicKey));
  return signer;
}

async function ensurePublicFile(path: string, text: string): Promise<void> {
  try {
    await createPublicFile(path, text);
  } catch (error) {
    // It is for people and other tools; Lifeboat itself takes the public half from the secret key.
    if (!(error instanceof LifeboatError && error.code === 'KEY_FILE_EXISTS')) throw error;
  }
}

function newSecretKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const bytes = Buffer.alloc(LAYOUT.bytes);
  HEADER_UNENCRYPTED.copy(bytes);
  randomBytes(8).copy(bytes, LAYOUT.keyId);
  seed.copy(bytes, LAYOUT.seed);
  publicBytesOf(privateKey).copy(bytes, LAYOUT.publicKey);
  return `untrusted comment: minisign secret key without password\n${bytes.toString('base64')}\n`;
}

function publicBytesOf(privateKey: KeyObject): Buffer {
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
}
