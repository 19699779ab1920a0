import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { LifeboatError } from '../domain/errors.ts';

/** Ed25519 over the BLAKE2b-512 digest; minisign's default. The other kind, `Ed`, signs the file itself. */
const SIGNATURE_ALGORITHM = Buffer.from('ED');
const KEY_ALGORITHM = Buffer.from('Ed');
const KEY_ID_BYTES = 8;
const SIGNATURE_BYTES = 64;
const PUBLIC_KEY_BYTES = 32;
/** What stands before the 32 bytes in the DER form of an Ed25519 public key (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** A key that may have signed; text and id as minisign prints them. */
export interface PublicKey {
  /** 16 hex digits. */
  readonly id: string;
  /** Base64 as after `minisign -P`. */
  readonly text: string;
  verifies(message: Uint8Array, signature: Uint8Array): boolean;
}

export interface MinisignSignature {
  readonly keyId: string;
  readonly signature: Buffer;
  readonly trustedComment: string;
  readonly globalSignature: Buffer;
}

/** Four lines that `minisign -V` accepts. The untrusted comment is the same for all, so that a verifier can compare. */
export const UNTRUSTED_COMMENT = 'untrusted comment: signature by lifeboat';

export function signMessage(
  key: { readonly privateKey: KeyObject; readonly keyId: Buffer },
  message: Uint8Array,
  trustedComment: string,
): string {
  const signature = sign(null, digestOf(message), key.privateKey);
  const globalSignature = sign(null, Buffer.concat([signature, Buffer.from(trustedComment)]), key.privateKey);
  const packed = Buffer.concat([SIGNATURE_ALGORITHM, key.keyId, signature]);
  const lines = [UNTRUSTED_COMMENT, packed.toString('base64'), `trusted comment: ${trustedComment}`];
  return [...lines, globalSignature.toString('base64'), ''].join('\n');
}

/** Undefined when the text is not a signature in minisign's format. */
export function parseSignature(text: string): MinisignSignature | undefined {
  const [untrusted = '', packed = '', trusted = '', global = '', ...rest] = text.replace(/\n$/, '').split('\n');
  const bytes = decodeBase64(packed);
  const globalSignature = decodeBase64(global);
  const shaped = untrusted.startsWith('untrusted comment: ') && trusted.startsWith('trusted comment: ');
  if (!shaped || rest.length > 0 || bytes?.length !== 2 + KEY_ID_BYTES + SIGNATURE_BYTES) return undefined;
  if (globalSignature?.length !== SIGNATURE_BYTES || !bytes.subarray(0, 2).equals(SIGNATURE_ALGORITHM))
    return undefined;
  return {
    keyId: keyIdText(bytes.subarray(2, 2 + KEY_ID_BYTES)),
    signature: bytes.subarray(2 + KEY_ID_BYTES),
    trustedComment: trusted.slice('trusted comment: '.length),
    globalSignature,
  };
}

/** The key of `keys` that signed exactly this message and this trusted comment; undefined when none did. */
export function signerOf(
  message: Uint8Array,
  signature: MinisignSignature,
  keys: readonly PublicKey[],
): PublicKey | undefined {
  const comment = Buffer.concat([signature.signature, Buffer.from(signature.trustedComment)]);
  return keys.find(
    (key) =>
      key.id === signature.keyId &&
      key.verifies(digestOf(message), signature.signature) &&
      key.verifies(comment, signature.globalSignature),
  );
}

/** A public key from its base64 text, the text of its `.pub` file, or the path of that file. KEY_FILE_* errors. */
export async function loadPublicKey(textOrPath: string): Promise<PublicKey> {
  const own = parsePublicKey(textOrPath);
  if (own !== undefined) return own;
  const text = await readFile(textOrPath, 'utf8').catch((error: unknown) => {
    throw new LifeboatError('KEY_FILE_MISSING', `open public key ${textOrPath}: not a key and not a file`, {
      cause: error,
    });
  });
  const key = parsePublicKey(text);
  if (key === undefined) throw new LifeboatError('KEY_FILE_INVALID', `public key ${textOrPath}: not minisign's format`);
  return key;
}

function parsePublicKey(text: string): PublicKey | undefined {
  const lines = text.trim().split('\n');
  const bytes = decodeBase64((lines[0]?.startsWith('untrusted comment:') ? lines[1] : lines[0])?.trim() ?? '');
  if (bytes?.length !== 2 + KEY_ID_BYTES + PUBLIC_KEY_BYTES || !bytes.subarray(0, 2).equals(KEY_ALGORITHM)) {
    return undefined;
  }
  return createPublicKeyOf(bytes.subarray(2, 2 + KEY_ID_BYTES), bytes.subarray(2 + KEY_ID_BYTES));
}

export function createPublicKeyOf(keyId: Buffer, publicBytes: Buffer): PublicKey {
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicBytes]), format: 'der', type: 'spki' });
  return {
    id: keyIdText(keyId),
    text: Buffer.concat([KEY_ALGORITHM, keyId, publicBytes]).toString('base64'),
    verifies: (message, signature) => verify(null, message, key, signature),
  };
}

export function publicKeyFile(key: PublicKey): string {
  return `untrusted comment: minisign public key ${key.id}\n${key.text}\n`;
}

/** minisign prints the id as a little-endian number. */
function keyIdText(keyId: Buffer): string {
  return Buffer.from(keyId.toReversed()).toString('hex').toUpperCase();
}

function digestOf(message: Uint8Array): Buffer {
  return createHash('blake2b512').update(message).digest();
}

/** Refuses what Node's decoder would forgive: other characters, and bits set that belong to no byte. */
function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
