import { createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { LifeboatError } from '../domain/errors.ts';
import { type EncryptionContext, esdk, sameContext } from './esdk.ts';
import { createSecretFile, readSecretFile } from './key-file.ts';

export const KEY_BYTES = 32;

/** What may be told about a key. `decrypt-only` and `retired` keys never wrap; `retired` ones do not open either. */
export interface KeyInfo {
  readonly id: string;
  readonly created: string;
  readonly state: 'active' | 'decrypt-only' | 'retired';
}

/** Keys that wrap the data keys of backups. The key material stays inside: it is in no property. */
export interface Keyring {
  readonly activeId: string;
  readonly keys: readonly KeyInfo[];
  /** Wraps with the active key. */
  wrap(secret: Uint8Array, context: EncryptionContext): Promise<{ readonly keyId: string; readonly message: Buffer }>;
  /** KEY_MISMATCH when no key opens it or it was made for another context. */
  unwrap(message: Uint8Array, context: EncryptionContext): Promise<Uint8Array>;
}

const KEY = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  created: z.iso.datetime({ offset: true }),
  alg: z.literal('A256GCM'),
  key: z.base64(),
  state: z.enum(['active', 'decrypt-only', 'retired']),
});
const KEYRING = z.strictObject({ version: z.literal(1), active: z.string(), keys: z.array(KEY).min(1) });

type KeyEntry = KeyInfo & { readonly material: Buffer };

/** Reads a keyring file: our JSON, or one bare 32-byte key in hex or base64. KEY_FILE_* errors. */
export async function loadKeyring(path: string): Promise<Keyring> {
  const text = (await readSecretFile(path)).trim();
  const { active, entries } = text.startsWith('{') ? parseKeyring(text, path) : parseBareKey(text, path);
  return createKeyring(active, entries);
}

/** Makes a keyring with one new key in a new file. KEY_FILE_EXISTS where there is one. */
export async function generateKeyring(path: string): Promise<Keyring> {
  const material = randomBytes(KEY_BYTES);
  const key = { id: keyIdOf(material), created: new Date().toISOString(), alg: 'A256GCM', state: 'active' };
  const keyring = { version: 1, active: key.id, keys: [{ ...key, key: material.toString('base64') }] };
  await createSecretFile(path, `${JSON.stringify(keyring, null, 2)}\n`);
  return loadKeyring(path);
}

function parseKeyring(text: string, path: string): { active: string; entries: KeyEntry[] } {
  const { active, keys } = parseShape(text, path);
  const entries = keys.map(({ id, created, state, key }) => ({ id, created, state, material: bytesOf(key, path) }));
  const activeKeys = entries.filter((entry) => entry.id === active && entry.state === 'active');
  if (activeKeys.length !== 1 || new Set(entries.map(({ id }) => id)).size !== entries.length) {
    throw new LifeboatError(
      'KEY_FILE_INVALID',
      `keyring ${path}: active key ${active}: not exactly one, or ids repeat`,
    );
  }
  return { active, entries };
}

function parseShape(text: string, path: string): z.infer<typeof KEYRING> {
  try {
    return KEYRING.parse(JSON.parse(text));
  } catch (error) {
    // Neither the text nor the cause goes along: both can quote key material.
    const place = error instanceof z.ZodError ? error.issues.map((issue) => issue.path.join('.')).join(', ') : 'syntax';
    throw new LifeboatError('KEY_FILE_INVALID', `keyring ${path}: ${place}: not as documented`);
  }
}

function parseBareKey(text: string, path: string): { active: string; entries: KeyEntry[] } {
  const material = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : bytesOf(text, path);
  const id = keyIdOf(material);
  return { active: id, entries: [{ id, created: '', state: 'active', material }] };
}

function bytesOf(base64: string, path: string): Buffer {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== KEY_BYTES || bytes.toString('base64').replace('=', '') !== base64.replace('=', '')) {
    throw new LifeboatError('KEY_FILE_INVALID', `key file ${path}: not ${KEY_BYTES} bytes in hex or base64`);
  }
  return bytes;
}

/** Told by the key itself, so that a bare key keeps its id when it moves into a keyring. */
function keyIdOf(material: Uint8Array): string {
  return `key-${createHmac('sha256', material).update('lifeboat-key-id').digest('hex').slice(0, 16)}`;
}

function createKeyring(activeId: string, entries: readonly KeyEntry[]): Keyring {
  const materialOf = (id: string): Buffer => entries.find((entry) => entry.id === id)?.material ?? Buffer.alloc(0);
  const opening = entries.filter(({ state }) => state !== 'retired');
  return {
    activeId,
    keys: entries.map(({ id, created, state }) => ({ id, created, state })),

    async wrap(secret, context) {
      const { encrypt, keyring } = await esdk();
      const message = await encrypt(keyring(activeId, materialOf(activeId)), secret, context);
      return { keyId: activeId, message };
    },

    async unwrap(message, context) {
      const { decrypt, anyOf, keyring } = await esdk();
      const keyrings = anyOf(opening.map(({ id, material }) => keyring(id, material)));
      const opened = await decrypt(keyrings, message).catch((error: unknown) => {
        throw mismatch(opening, error);
      });
      if (!sameContext(opened.context, context)) {
        throw new LifeboatError('KEY_DAMAGED', 'open data key: made for another backup or purpose');
      }
      return new Uint8Array(opened.plaintext);
    },
  };
}

function mismatch(keys: readonly KeyInfo[], cause: unknown): LifeboatError {
  const ids = keys.map(({ id }) => id);
  return new LifeboatError('KEY_MISMATCH', `open data key: not opened by ${ids.join(', ')}`, {
    cause,
    details: { keyIds: ids },
  });
}
