import { z } from 'zod';
import { LifeboatError } from '../../domain/errors.ts';
import { type DataKey, makeDataKey, openDataKey } from '../../encryption/data-key.ts';
import type { Keyring } from '../../encryption/keyring.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { RepositoryContext } from '../context.ts';
import { parseJson, readSmallObject } from '../small-object.ts';
import { type EpochPlace, epochName, journalKeyKey } from './journal-keys.ts';

/** `keys/journals/…`: as for backups, outside every signature, so that a new key can wrap it again. */
const KEY_FILE = z.strictObject({
  version: z.literal(1),
  journal: z.string(),
  keyId: z.string(),
  keyCheckValue: z.string().regex(/^[0-9a-f]{16}$/),
  wrapped: z.base64(),
});

const contextOf = (place: EpochPlace): Record<string, string> => ({
  purpose: 'lifeboat-data-key',
  journal: epochName(place),
});

/** The data key of an epoch that is about to begin; made where there is none. KEY_REQUIRED without a keyring. */
export async function ensureEpochKey(context: RepositoryContext, place: EpochPlace): Promise<DataKey> {
  const keyring = requireKeyring(context, place);
  const { keyId, keyCheckValue, message } = await makeDataKey(keyring, contextOf(place));
  const file = { version: 1, journal: epochName(place), keyId, keyCheckValue, wrapped: message.toString('base64') };
  try {
    await context.store.put(journalKeyKey(place), canonicalJson(file), { ifNoneMatch: true });
  } catch (error) {
    // A rival for the same epoch, or one that died before it began, stored one: both would use it, one of them begins.
    if (!(error instanceof LifeboatError && error.code === 'STORE_KEY_EXISTS')) throw error;
  }
  return openEpochKey(context, place);
}

/** @throws LifeboatError KEY_REQUIRED, KEY_MISSING, KEY_DAMAGED, KEY_MISMATCH */
export async function openEpochKey(
  context: RepositoryContext,
  place: EpochPlace,
  checkValue?: string | null,
): Promise<DataKey> {
  const keyring = requireKeyring(context, place);
  const key = journalKeyKey(place);
  const bytes = await readSmallObject(context.store, key);
  if (bytes === undefined) throw new LifeboatError('KEY_MISSING', `read ${key}: missing`, { details: { key } });
  const file = KEY_FILE.safeParse(parseJson(bytes)).data;
  const message = Buffer.from(file?.wrapped ?? '', 'base64');
  const respelled = file && canonicalJson({ ...file, wrapped: message.toString('base64') });
  if (file === undefined || respelled?.equals(bytes) !== true || file.journal !== epochName(place)) {
    const what = 'not as documented, or of another epoch';
    throw new LifeboatError('KEY_DAMAGED', `read ${key}: ${what}`, { details: { key } });
  }
  const { keyId, keyCheckValue } = file;
  const opened = await openDataKey(keyring, { keyId, keyCheckValue, message }, contextOf(place));
  if (checkValue === undefined || opened.checkValue === checkValue) return opened;
  const facts = `check value ${opened.checkValue}, begin.json says ${checkValue}`;
  throw new LifeboatError('KEY_MISMATCH', `open ${key}: ${facts}`, { details: { key } });
}

function requireKeyring(context: RepositoryContext, place: EpochPlace): Keyring {
  if (context.keyring !== undefined) return context.keyring;
  throw new LifeboatError('KEY_REQUIRED', `open key of ${epochName(place)}: no keyring configured`);
}
