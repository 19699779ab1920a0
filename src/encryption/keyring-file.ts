import { createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { LifeboatError } from '../domain/errors.ts';
import { readSecretFile } from './key-file.ts';

export const KEY_BYTES = 32;

/** What may be told about a key. `decrypt-only` and `retired` keys never wrap; `retired` ones do not open either. */
export interface KeyInfo {
  readonly id: string;
  /** ISO 8601; empty for a bare key, whose file does not say. */
  readonly created: string;
  readonly state: 'active' | 'decrypt-only' | 'retired';
}

/** A key with what must never be printed. */
export type KeyEntry = KeyInfo & { readonly material: Buffer };

/** What a keyring file holds. */
export interface KeyEntries {
  readonly active: string;
  readonly entries: readonly KeyEntry[];
}

const KEY = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  created: z.iso.datetime({ offset: true }),
  alg: z.literal('A256GCM'),
  key: z.base64(),
  state: z.enum(['active', 'decrypt-only', 'retired']),
});
const KEYRING = z.strictObject({ version: z.literal(1), active: z.string(), keys: z.array(KEY).min(1) });

/** Our JSON, or one bare 32-byte key in hex or base64. KEY_FILE_* errors. */
export async function readKeyEntries(path: string): Promise<KeyEntries> {
  return parseKeyEntries((await readSecretFile(path)).trim(), path);
}

/** @throws LifeboatError KEY_FILE_INVALID */
export function parseKeyEntries(text: string, path: string): KeyEntries {
  return text.startsWith('{') ? parseKeyring(text, path) : parseBareKey(text, path);
}

/** The text of a keyring file. */
export function formatKeyEntries({ active, entries }: KeyEntries): string {
  const keys = entries.map(({ id, created, state, material }) => {
    return { id, created, alg: 'A256GCM', state, key: material.toString('base64') };
  });
  return `${JSON.stringify({ version: 1, active, keys }, null, 2)}\n`;
}

/** A random key that wraps from now on. */
export function newKeyEntry(): KeyEntry {
  const material = randomBytes(KEY_BYTES);
  return { id: keyIdOf(material), created: new Date().toISOString(), state: 'active', material };
}

function parseKeyring(text: string, path: string): KeyEntries {
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

function parseBareKey(text: string, path: string): KeyEntries {
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
