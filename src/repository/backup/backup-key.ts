import { z } from 'zod';
import { LifeboatError } from '../../domain/errors.ts';
import { type DataKey, makeDataKey, openDataKey, type WrappedDataKey } from '../../encryption/data-key.ts';
import type { Keyring } from '../../encryption/keyring.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { RepositoryContext } from '../context.ts';
import { dataKeyKey } from '../layout.ts';
import { parseJson, readSmallObject } from '../small-object.ts';

/** `keys/<backupId>.json`. Not covered by the manifest's signature, so that a new key can wrap it again. */
const KEY_FILE = z.strictObject({
  version: z.literal(1),
  backupId: z.string(),
  keyId: z.string(),
  keyCheckValue: z.string().regex(/^[0-9a-f]{16}$/),
  /** Encryption SDK message. */
  wrapped: z.base64(),
});

/** Authenticated with the wrapped key, so that it opens for this backup only. */
const contextOf = (backupId: string): Record<string, string> => ({ purpose: 'lifeboat-data-key', backupId });

/** Makes and stores the backup's data key, unless there is one. KEY_REQUIRED without a keyring. */
export async function ensureBackupKey(context: RepositoryContext, backupId: string): Promise<void> {
  const keyring = requireKeyring(context, backupId);
  if ((await context.store.head(dataKeyKey(backupId))) !== undefined) return;
  const { keyId, keyCheckValue, message } = await makeDataKey(keyring, contextOf(backupId));
  const file = { version: 1, backupId, keyId, keyCheckValue, wrapped: message.toString('base64') };
  try {
    await context.store.put(dataKeyKey(backupId), canonicalJson(file), { ifNoneMatch: true });
  } catch (error) {
    // An earlier attempt of the same owner stored one meanwhile: that one counts.
    if (!(error instanceof LifeboatError && error.code === 'STORE_KEY_EXISTS')) throw error;
  }
}

/** The backup's data key. `checkValue` is the manifest's, where there is one: KEY_MISMATCH when the key is another. */
export async function openBackupKey(
  context: RepositoryContext,
  backupId: string,
  checkValue?: string | null,
): Promise<DataKey> {
  const keyring = requireKeyring(context, backupId);
  const wrapped = await readWrappedKey(context.store, backupId);
  const key = await openDataKey(keyring, wrapped, contextOf(backupId)).catch((error: unknown) => {
    throw explain(error, keyring, { wrapped, backupId });
  });
  if (checkValue !== undefined && key.checkValue !== checkValue) {
    const facts = `check value ${key.checkValue}, manifest says ${checkValue}`;
    throw new LifeboatError('KEY_MISMATCH', `open key of ${backupId}: ${facts}`, { details: { backupId } });
  }
  return key;
}

function requireKeyring(context: RepositoryContext, backupId: string): Keyring {
  if (context.keyring !== undefined) return context.keyring;
  throw new LifeboatError('KEY_REQUIRED', `open key of ${backupId}: no keyring configured`, { details: { backupId } });
}

async function readWrappedKey(store: ObjectStore, backupId: string): Promise<WrappedDataKey> {
  const key = dataKeyKey(backupId);
  const bytes = await readSmallObject(store, key);
  if (bytes === undefined) throw new LifeboatError('KEY_MISSING', `read ${key}: missing`, { details: { key } });
  const file = KEY_FILE.safeParse(parseJson(bytes)).data;
  const message = Buffer.from(file?.wrapped ?? '', 'base64');
  // One spelling only: every changed byte shows, also where JSON and base64 would forgive it.
  const respelled = file && canonicalJson({ ...file, wrapped: message.toString('base64') });
  if (file === undefined || respelled?.equals(bytes) !== true || file.backupId !== backupId) {
    throw new LifeboatError('KEY_DAMAGED', `read ${key}: not as documented, or of another backup`, {
      details: { key },
    });
  }
  return { keyId: file.keyId, keyCheckValue: file.keyCheckValue, message };
}

/** The key that wrapped it is at hand and still does not open it: then the wrapped key changed, not the keyring. */
function explain(
  error: unknown,
  keyring: Keyring,
  facts: { readonly wrapped: WrappedDataKey; readonly backupId: string },
): unknown {
  const { wrapped, backupId } = facts;
  if (!(error instanceof LifeboatError) || error.code !== 'KEY_MISMATCH') return error;
  const known = keyring.keys.some(({ id, state }) => id === wrapped.keyId && state !== 'retired');
  const code = known ? 'KEY_DAMAGED' : 'KEY_MISMATCH';
  return new LifeboatError(code, `open key of ${backupId}: wrapped by ${wrapped.keyId}: ${error.message}`, {
    cause: error,
    details: { backupId, keyId: wrapped.keyId },
  });
}
