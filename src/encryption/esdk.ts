import type { Duplex } from 'node:stream';
import type * as library from '@aws-crypto/client-node';

/** Recorded in every message, so that a blob of another tool is not mistaken for ours. */
const KEY_NAMESPACE = 'lifeboat';
/** One key and a few for escrow; a message with thousands of wrapped keys is an attack on the reader. */
const MAX_ENCRYPTED_DATA_KEYS = 5;
/** Measured: 1 MiB frames encrypt 1.1–1.5 GB/s with 0.003 % overhead; the default of 4 KiB reaches 0.2 GB/s. */
const FRAME_BYTES = 1024 * 1024;

export type EncryptionContext = Readonly<Record<string, string>>;

type Library = typeof library;
type Keyring = library.KeyringNode;
type StreamOptions = NonNullable<Parameters<ReturnType<Library['buildClient']>['encryptStream']>[1]>;

/** The library with our settings: suite 0x0478 (AES-256-GCM, HKDF per message, key commitment, no signature). */
export interface Esdk {
  readonly keyring: (keyId: string, material: Uint8Array) => Keyring;
  readonly anyOf: (keyrings: readonly Keyring[]) => Keyring;
  readonly encrypt: (keyring: Keyring, secret: Uint8Array, context: EncryptionContext) => Promise<Buffer>;
  readonly decrypt: (
    keyring: Keyring,
    message: Uint8Array,
  ) => Promise<{ readonly plaintext: Buffer; readonly context: EncryptionContext }>;
  readonly encryptStream: (keyring: Keyring, context: EncryptionContext) => Duplex;
  /** `onContext` is called once, before the first byte comes out. */
  readonly decryptStream: (keyring: Keyring, onContext: (context: EncryptionContext) => void) => Duplex;
}

let loaded: Promise<Esdk> | undefined;

/** AWS Encryption SDK, loaded when first needed: it takes 0.3 s, and repositories are not encrypted by default. */
export async function esdk(): Promise<Esdk> {
  loaded ??= import('@aws-crypto/client-node').then(createEsdk);
  return loaded;
}

function createEsdk(library: Library): Esdk {
  const client = library.buildClient({
    commitmentPolicy: library.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
    maxEncryptedDataKeys: MAX_ENCRYPTED_DATA_KEYS,
  });
  const optionsOf = (context: EncryptionContext): StreamOptions => ({
    suiteId: library.AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
    frameLength: FRAME_BYTES,
    encryptionContext: { ...context },
  });
  return {
    keyring: (keyId, material) =>
      new library.RawAesKeyringNode({
        keyName: keyId,
        keyNamespace: KEY_NAMESPACE,
        // The library refuses a view into Node's shared buffer pool.
        unencryptedMasterKey: new Uint8Array(material),
        wrappingSuite: library.RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
      }),
    anyOf: (keyrings) => new library.MultiKeyringNode({ children: [...keyrings] }),
    encrypt: async (keyring, secret, context) => (await client.encrypt(keyring, secret, optionsOf(context))).result,
    async decrypt(keyring, message) {
      const { plaintext, messageHeader } = await client.decrypt(keyring, message);
      return { plaintext, context: messageHeader.encryptionContext };
    },
    encryptStream: (keyring, context) => requireDuplex(client.encryptStream(keyring, optionsOf(context))),
    decryptStream(keyring, onContext) {
      const stream = requireDuplex(client.decryptUnsignedMessageStream(keyring));
      stream.once('MessageHeader', (header: library.MessageHeader) => onContext(header.encryptionContext));
      return stream;
    },
  };
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
