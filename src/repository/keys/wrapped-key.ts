import { z } from 'zod';
import { LifeboatError } from '../../domain/errors.ts';
import type { WrappedDataKey } from '../../encryption/data-key.ts';
import type { EncryptionContext } from '../../encryption/esdk.ts';
import type { Keyring } from '../../encryption/keyring.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { RepositoryContext } from '../context.ts';
import { parseJson, readSmallObject } from '../small-object.ts';

/** Whose data key it is, as it stands in the file and in the encryption context. */
export type KeyOwner = { readonly backupId: string } | { readonly journal: string };

/** A wrapped data key in the store. Covered by no signature, so that a new key can wrap it again. */
export interface KeyPlace {
  /** `keys/<backup id>.json` or `keys/journals/….json`. */
  readonly key: string;
  readonly owner: KeyOwner;
}

const FILE = z.looseObject({
  keyId: z.string(),
  keyCheckValue: z.string().regex(/^[0-9a-f]{16}$/),
  /** Encryption SDK message. */
  wrapped: z.base64(),
});

/** `backup-…`, or `journals/<kind>/<history>/<epoch>`. */
export function nameOf({ owner }: KeyPlace): string {
  return 'backupId' in owner ? owner.backupId : owner.journal;
}

/** Authenticated with the wrapped key, so that it opens for its owner only. */
export function contextOf({ owner }: KeyPlace): EncryptionContext {
  return { purpose: 'lifeboat-data-key', ...owner };
}

export function formatWrappedKey({ owner }: KeyPlace, wrapped: WrappedDataKey): Buffer {
  const { keyId, keyCheckValue, message } = wrapped;
  return canonicalJson({ version: 1, ...owner, keyId, keyCheckValue, wrapped: message.toString('base64') });
}

/** Undefined where it is not there. @throws LifeboatError KEY_DAMAGED */
export async function findWrappedKey(store: ObjectStore, place: KeyPlace): Promise<WrappedDataKey | undefined> {
  const { key } = place;
  const bytes = await readSmallObject(store, key);
  if (bytes === undefined) return undefined;
  const file = FILE.safeParse(parseJson(bytes)).data;
  const message = Buffer.from(file?.wrapped ?? '', 'base64');
  const found = file && { keyId: file.keyId, keyCheckValue: file.keyCheckValue, message };
  // One spelling only: every changed byte shows, also where JSON and base64 would forgive it.
  if (found !== undefined && formatWrappedKey(place, found).equals(bytes)) return found;
  throw new LifeboatError('KEY_DAMAGED', `read ${key}: not as documented, or not of ${nameOf(place)}`, {
    details: { key },
  });
}

/** @throws LifeboatError KEY_MISSING, KEY_DAMAGED */
export async function readWrappedKey(store: ObjectStore, place: KeyPlace): Promise<WrappedDataKey> {
  const found = await findWrappedKey(store, place);
  if (found !== undefined) return found;
  throw new LifeboatError('KEY_MISSING', `read ${place.key}: missing`, { details: { key: place.key } });
}

/** @throws LifeboatError KEY_REQUIRED */
export function requireKeyring({ keyring }: RepositoryContext, place: KeyPlace): Keyring {
  if (keyring !== undefined) return keyring;
  const name = nameOf(place);
  throw new LifeboatError('KEY_REQUIRED', `open key of ${name}: no keyring configured`, { details: { name } });
}

/** A wrapped key and the keyring that is to open it, given to one of the functions that do. @throws LifeboatError KEY_MISMATCH, KEY_DAMAGED */
export async function openedBy<T>(
  open: (keyring: Keyring, wrapped: WrappedDataKey, context: EncryptionContext) => Promise<T>,
  keyring: Keyring,
  found: { readonly place: KeyPlace; readonly wrapped: WrappedDataKey },
): Promise<T> {
  try {
    return await open(keyring, found.wrapped, contextOf(found.place));
  } catch (error) {
    throw explainUnopened(error, keyring, found);
  }
}

/** The key that wrapped it is at hand and still does not open it: then the wrapped key changed, not the keyring. */
function explainUnopened(
  error: unknown,
  keyring: Keyring,
  { place, wrapped }: { readonly place: KeyPlace; readonly wrapped: WrappedDataKey },
): unknown {
  if (!(error instanceof LifeboatError) || error.code !== 'KEY_MISMATCH') return error;
  const known = keyring.keys.some(({ id, state }) => id === wrapped.keyId && state !== 'retired');
  const code = known ? 'KEY_DAMAGED' : 'KEY_MISMATCH';
  const name = nameOf(place);
  return new LifeboatError(code, `open key of ${name}: wrapped by ${wrapped.keyId}: ${error.message}`, {
    cause: error,
    details: { ...place.owner, keyId: wrapped.keyId },
  });
}
