import { constants } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type * as library from './esdk-library.ts';
import type { LifeboatError } from '../domain/errors.ts';
import { type KmsKey, kmsKeyringOf } from './kms-keys.ts';

/** Recorded in every message, so that a blob of another tool is not mistaken for ours. */
const KEY_NAMESPACE = 'lifeboat';
/** One key and a few for escrow; a message with thousands of wrapped keys is an attack on the reader. */
const MAX_ENCRYPTED_DATA_KEYS = 5;
/** Measured: 1 MiB frames encrypt 1.1–1.5 GB/s with 0.003 % overhead; the default of 4 KiB reaches 0.2 GB/s. */
const FRAME_BYTES = 1024 * 1024;

export type EncryptionContext = Readonly<Record<string, string>>;

type Library = typeof library;
type Keyring = library.KeyringNode;
type StreamOptions = NonNullable<Parameters<ReturnType<Library['buildEncrypt']>['encryptStream']>[1]>;

/** A key of the keyring (32 bytes), one that stays in a KMS, or the public or private half of an escrow key (PEM). */
export type WrappingKey =
  | KmsKey
  | { readonly id: string; readonly material: Uint8Array }
  | { readonly id: string; readonly publicKey: string; readonly privateKey?: string };

/** The library with our settings: suite 0x0478 (AES-256-GCM, HKDF per message, key commitment, no signature). */
export interface Esdk {
  readonly keyring: (keyId: string, material: Uint8Array) => Keyring;
  /** For all of `keys`: each of them alone opens it. The failure of a KMS is a LifeboatError KMS_*. */
  readonly encrypt: (keys: readonly WrappingKey[], secret: Uint8Array, context: EncryptionContext) => Promise<Buffer>;
  /** By any of `keys`. Where none opens it and a KMS failed, that failure: a LifeboatError KMS_*. */
  readonly decrypt: (
    keys: readonly WrappingKey[],
    message: Uint8Array,
  ) => Promise<{
    readonly plaintext: Buffer;
    readonly context: EncryptionContext;
    /** Ids of the keys that the message is wrapped for. */
    readonly wrappedFor: readonly string[];
  }>;
  readonly encryptStream: (keyring: Keyring, context: EncryptionContext) => Duplex;
  /** `onContext` is called once, before the first byte comes out. */
  readonly decryptStream: (keyring: Keyring, onContext: (context: EncryptionContext) => void) => Duplex;
}

let loaded: Promise<Esdk> | undefined;

/** AWS Encryption SDK, loaded when first needed: it takes 0.1 s, and repositories are not encrypted by default. */
export async function esdk(): Promise<Esdk> {
  loaded ??= import('./esdk-library.ts').then(createEsdk);
  return loaded;
}

function createEsdk(library: Library): Esdk {
  const settings = {
    commitmentPolicy: library.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
    maxEncryptedDataKeys: MAX_ENCRYPTED_DATA_KEYS,
  };
  const client = { ...library.buildEncrypt(settings), ...library.buildDecrypt(settings) };
  const optionsOf = (context: EncryptionContext): StreamOptions => ({
    suiteId: library.AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
    frameLength: FRAME_BYTES,
    encryptionContext: { ...context },
  });
  const keyringOf = createKeyringOf(library);
  return {
    keyring: (id, material) => keyringOf({ id, material }, []),
    async encrypt(keys, secret, context) {
      const failures: LifeboatError[] = [];
      const [generator, ...children] = keys.map((key) => keyringOf(key, failures));
      const keyring = new library.MultiKeyringNode({ ...(generator && { generator }), children });
      return (await told(failures, client.encrypt(keyring, secret, optionsOf(context)))).result;
    },
    async decrypt(keys, message) {
      const failures: LifeboatError[] = [];
      const keyring = new library.MultiKeyringNode({ children: keys.map((key) => keyringOf(key, failures)) });
      const { plaintext, messageHeader } = await told(failures, client.decrypt(keyring, message));
      const wrappedFor = messageHeader.encryptedDataKeys.map(idOf);
      return { plaintext, context: messageHeader.encryptionContext, wrappedFor };
    },
    encryptStream: (keyring, context) => requireDuplex(client.encryptStream(keyring, optionsOf(context))),
    decryptStream(keyring, onContext) {
      const stream = requireDuplex(client.decryptUnsignedMessageStream(keyring));
      stream.once('MessageHeader', (header: library.MessageHeader) => onContext(header.encryptionContext));
      return stream;
    },
  };
}

/** The library joins the failures of all keys into one text; the first that is known is thrown as it is. */
async function told<T>(failures: readonly LifeboatError[], call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    throw failures[0] ?? error;
  });
}

function createKeyringOf(library: Library): (key: WrappingKey, failures: LifeboatError[]) => Keyring {
  return (key, failures) => {
    if ('kms' in key) return kmsKeyringOf(key, failures);
    return 'material' in key
      ? new library.RawAesKeyringNode({
          keyName: key.id,
          keyNamespace: KEY_NAMESPACE,
          // The library refuses a view into Node's shared buffer pool.
          unencryptedMasterKey: new Uint8Array(key.material),
          wrappingSuite: library.RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
        })
      : new library.RawRsaKeyringNode({
          keyName: key.id,
          keyNamespace: KEY_NAMESPACE,
          rsaKey: key.privateKey === undefined ? { publicKey: key.publicKey } : { privateKey: key.privateKey },
          padding: constants.RSA_PKCS1_OAEP_PADDING,
          oaepHash: 'sha256',
        });
  };
}

/** Raw AES writes tag length, IV length and IV behind the key's name; RSA and KMS write the name alone, as the message format has it. */
const AES_WRAPPED_BYTES = 48;
const AES_INFO_BYTES = 20;

function idOf({ providerId, rawInfo, providerInfo, encryptedDataKey }: library.EncryptedDataKey): string {
  if (providerId !== KEY_NAMESPACE || encryptedDataKey.byteLength !== AES_WRAPPED_BYTES || rawInfo === undefined)
    return providerInfo;
  return Buffer.from(rawInfo.subarray(0, rawInfo.byteLength - AES_INFO_BYTES)).toString('utf8');
}

/** The library's streams come from a package of their own, whose types do not say that they are Node's. */
function requireDuplex(stream: object): Duplex {
  if (isDuplex(stream)) return stream;
  throw new TypeError('the encryption library gave something that is no stream');
}

function isDuplex(stream: object): stream is Duplex {
  return 'pipe' in stream && 'write' in stream && 'destroy' in stream;
}

/** The library authenticates the context but leaves the comparison to its caller. */
export function sameContext(found: Readonly<Record<string, string>>, expected: EncryptionContext): boolean {
  const names = Object.keys(expected);
  return Object.keys(found).length === names.length && names.every((name) => found[name] === expected[name]);
}
