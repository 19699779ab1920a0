import { existsSync } from 'node:fs';
import { LifeboatError } from '../domain/errors.ts';
import { type EncryptionContext, esdk, sameContext, type WrappingKey } from './esdk.ts';
import { type EscrowKey, isPrivateKey, parseEscrowSecret } from './escrow-key.ts';
import { createSecretFile, readSecretFile } from './key-file.ts';
import { isKmsArn, type KmsKey, type KmsPlaces, openKmsKeys } from './kms-keys.ts';
import {
  formatKeyEntries,
  type KeyEntries,
  type KeyEntry,
  type KeyInfo,
  newKeyEntry,
  parseKeyEntries,
} from './keyring-file.ts';

export { KEY_BYTES, type KeyInfo } from './keyring-file.ts';

/** What a wrapped key says once it is open. */
export interface OpenedKey {
  readonly secret: Uint8Array;
  /** Ids of all keys that it is wrapped for, the escrow keys among them; each of them alone opens it. */
  readonly wrappedFor: readonly string[];
}

/** Keys that wrap the data keys of backups. The key material stays inside: it is in no property. */
export interface Keyring {
  readonly activeId: string;
  readonly keys: readonly KeyInfo[];
  /** Ids of the keys for which everything is wrapped beside the active one. */
  readonly escrowIds: readonly string[];
  /** Wraps with the active key, and for each escrow key. KEY_ONLY_OPENS for an escrow key itself, KMS_* where a KMS wraps. */
  wrap(secret: Uint8Array, context: EncryptionContext): Promise<{ readonly keyId: string; readonly message: Buffer }>;
  /** KEY_MISMATCH when no key opens it, KMS_* when a KMS could not say so, KEY_DAMAGED when it was made for another context. */
  open(message: Uint8Array, context: EncryptionContext): Promise<OpenedKey>;
}

export interface KeyringOptions {
  /** Public keys for which everything is wrapped as well. */
  readonly escrow?: readonly EscrowKey[];
  /** Behave as if this key were retired. */
  readonly without?: string;
  /** Keys of AWS KMS. Where one of them wraps, the keys of the file only open, and there need be no file. */
  readonly kms?: KmsPlaces | undefined;
}

/** A key with what it takes to use it. */
type UsableKey = KeyEntry | (KeyInfo & KmsKey);

/**
 * Reads a keyring file: our JSON, or one bare 32-byte key in hex or base64. A file with the private half of an escrow key gives a
 * keyring that opens all that was wrapped for it, and wraps nothing. Instead of a file the ARN of a key of AWS KMS does as well.
 * @throws LifeboatError KEY_FILE_*, KMS_*
 */
export async function loadKeyring(path: string, options: KeyringOptions = {}): Promise<Keyring> {
  if (isKmsArn(path)) return loadKmsKeyring(undefined, { ...options, kms: { keyArn: path, earlierKeyArns: [] } });
  const { kms, escrow = [], without } = options;
  if (kms?.keyArn !== undefined && !existsSync(path)) return loadKmsKeyring(undefined, options);
  const text = (await readSecretFile(path)).trim();
  if (isPrivateKey(text)) return createEscrowKeyring(parseEscrowSecret(text, path));
  const file = parseKeyEntries(text, path);
  return kms === undefined
    ? createKeyring(file.active, retire(file.entries, without), escrow)
    : loadKmsKeyring(file, options);
}

/** Keys of the service in front of those of the file. Without one that wraps, the file's active key does. */
async function loadKmsKeyring(file: KeyEntries | undefined, options: KeyringOptions): Promise<Keyring> {
  const { active, earlier } = await openKmsKeys(options.kms ?? { earlierKeyArns: [] });
  const ofFile = (file?.entries ?? []).map((entry): UsableKey =>
    active !== undefined && entry.state === 'active' ? { ...entry, state: 'decrypt-only' } : entry,
  );
  const keys = [
    ...(active === undefined ? [] : [ofService(active, 'active')]),
    ...earlier.map((key) => ofService(key, 'decrypt-only')),
    ...ofFile,
  ];
  return createKeyring(active?.id ?? file?.active ?? '', retire(keys, options.without), options.escrow ?? []);
}

function ofService(key: KmsKey, state: KeyInfo['state']): UsableKey {
  return { ...key, created: '', state };
}

function retire(keys: readonly UsableKey[], without: string | undefined): readonly UsableKey[] {
  return keys.map((key) => (key.id === without ? { ...key, state: 'retired' as const } : key));
}

/** Makes a keyring with one new key in a new file. KEY_FILE_EXISTS where there is one. */
export async function generateKeyring(path: string): Promise<Keyring> {
  const key = newKeyEntry();
  await createSecretFile(path, formatKeyEntries({ active: key.id, entries: [key] }));
  return loadKeyring(path);
}

function createKeyring(activeId: string, entries: readonly UsableKey[], escrow: readonly EscrowKey[]): Keyring {
  const opening = entries.filter(({ state }) => state !== 'retired');
  const wrapping = [...opening.filter(({ id }) => id === activeId), ...escrow];
  return {
    activeId,
    keys: entries.map(({ id, created, state }) => ({ id, created, state })),
    escrowIds: escrow.map(({ id }) => id),
    async wrap(secret, context) {
      const { encrypt } = await esdk();
      return { keyId: activeId, message: await encrypt(wrapping, secret, context) };
    },
    open: async (message, context) => openWith(opening, message, context),
  };
}

function createEscrowKeyring(key: EscrowKey): Keyring {
  return {
    activeId: key.id,
    keys: [{ id: key.id, created: '', state: 'decrypt-only' }],
    escrowIds: [],
    wrap: async () => {
      throw new LifeboatError('KEY_ONLY_OPENS', `wrap a data key with ${key.id}: an escrow key only opens`);
    },
    open: async (message, context) => openWith([key], message, context),
  };
}

async function openWith(
  keys: readonly WrappingKey[],
  message: Uint8Array,
  context: EncryptionContext,
): Promise<OpenedKey> {
  const { decrypt } = await esdk();
  const opened = await decrypt(keys, message).catch((error: unknown) => {
    throw error instanceof LifeboatError ? error : mismatch(keys, error);
  });
  if (!sameContext(opened.context, context)) {
    throw new LifeboatError('KEY_DAMAGED', 'open data key: made for another backup or purpose');
  }
  return { secret: new Uint8Array(opened.plaintext), wrappedFor: opened.wrappedFor };
}

function mismatch(keys: readonly WrappingKey[], cause: unknown): LifeboatError {
  const ids = keys.map(({ id }) => id);
  return new LifeboatError('KEY_MISMATCH', `open data key: not opened by ${ids.join(', ')}`, {
    cause,
    details: { keyIds: ids },
  });
}
