import { createHmac, randomBytes } from 'node:crypto';
import { isNativeError } from 'node:util/types';
import { LifeboatError } from '../domain/errors.ts';
import { type EncryptionContext, esdk, sameContext } from './esdk.ts';
import { KEY_BYTES, type Keyring, type OpenedKey } from './keyring.ts';
import { through } from './through.ts';

/** The name of a data key inside its messages; the wrapped key beside the backup says which key wrapped it. */
const DATA_KEY_NAME = 'backup';

/** The key of one backup's objects. The key material stays inside: it is in no property. */
export interface DataKey {
  /** HMAC-SHA256(data key, "lifeboat-kcv")[0..8), hex: tells two keys apart without telling either. */
  readonly checkValue: string;
  /** One Encryption SDK message. `context` is authenticated and stands in the message in clear. */
  encrypt(source: AsyncIterable<Uint8Array>, context: EncryptionContext): AsyncIterable<Buffer>;
  /**
   * Plaintext, frame by frame after its tag. OBJECT_MISPLACED before the first byte when the context is another one;
   * OBJECT_DAMAGED when a tag is wrong or the message ends early. Bytes after the message's end are not noticed here.
   */
  decrypt(source: AsyncIterable<Uint8Array>, context: EncryptionContext): AsyncIterable<Buffer>;
}

/** A wrapped data key as it is stored. */
export interface WrappedDataKey {
  readonly keyId: string;
  readonly keyCheckValue: string;
  readonly message: Buffer;
}

/** Makes a random data key and wraps it with the keyring's active key. */
export async function makeDataKey(keyring: Keyring, context: EncryptionContext): Promise<WrappedDataKey> {
  const material = randomBytes(KEY_BYTES);
  const wrapped = await keyring.wrap(material, context);
  return { ...wrapped, keyCheckValue: checkValueOf(material) };
}

/** KEY_MISMATCH when the keyring does not open it, or when what it opens is not the key that is recorded. */
export async function openDataKey(
  keyring: Keyring,
  wrapped: WrappedDataKey,
  context: EncryptionContext,
): Promise<DataKey> {
  const { secret } = await openWrapped(keyring, wrapped, context);
  return createDataKey(secret, wrapped.keyCheckValue);
}

/** The keys that a data key is wrapped for. @throws LifeboatError as `openDataKey` */
export async function inspectDataKey(
  keyring: Keyring,
  wrapped: WrappedDataKey,
  context: EncryptionContext,
): Promise<readonly string[]> {
  return (await openWrapped(keyring, wrapped, context)).wrappedFor;
}

/** The same data key, wrapped by the key that is active now and for the escrow keys of now. @throws LifeboatError as `openDataKey` */
export async function rewrapDataKey(
  keyring: Keyring,
  wrapped: WrappedDataKey,
  context: EncryptionContext,
): Promise<WrappedDataKey> {
  const { secret } = await openWrapped(keyring, wrapped, context);
  return { ...(await keyring.wrap(secret, context)), keyCheckValue: wrapped.keyCheckValue };
}

async function openWrapped(keyring: Keyring, wrapped: WrappedDataKey, context: EncryptionContext): Promise<OpenedKey> {
  const opened = await keyring.open(wrapped.message, context);
  const checkValue = checkValueOf(opened.secret);
  if (checkValue === wrapped.keyCheckValue) return opened;
  const facts = `check value ${checkValue}, recorded ${wrapped.keyCheckValue}`;
  throw new LifeboatError('KEY_MISMATCH', `open data key: ${facts}`);
}

function checkValueOf(material: Uint8Array): string {
  return createHmac('sha256', material).update('lifeboat-kcv').digest('hex').slice(0, 16);
}

function createDataKey(material: Uint8Array, checkValue: string): DataKey {
  return {
    checkValue,

    async *encrypt(source, context) {
      const { encryptStream, keyring } = await esdk();
      yield* through(source, encryptStream(keyring(DATA_KEY_NAME, material), context), (error) => error);
    },

    async *decrypt(source, context) {
      const { decryptStream, keyring } = await esdk();
      const stream = decryptStream(keyring(DATA_KEY_NAME, material), (found) => {
        if (!sameContext(found, context)) stream.destroy(misplaced(found, context));
      });
      yield* through(source, stream, damaged);
    },
  };
}

function misplaced(found: EncryptionContext, expected: EncryptionContext): LifeboatError {
  const made = Object.values(found).join(' ');
  return new LifeboatError('OBJECT_MISPLACED', `decrypt ${Object.values(expected).join(' ')}: made for ${made}`);
}

function damaged(error: unknown): unknown {
  if (error instanceof LifeboatError) return error;
  const what = isNativeError(error) ? error.message : String(error);
  return new LifeboatError('OBJECT_DAMAGED', `decrypt: ${what}`, { cause: error });
}
