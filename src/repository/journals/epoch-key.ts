import type { DataKey } from '../../encryption/data-key.ts';
import type { RepositoryContext } from '../context.ts';
import { createKey, openKey } from '../keys/open-key.ts';
import type { KeyPlace } from '../keys/wrapped-key.ts';
import { type EpochPlace, epochName, journalKeyKey } from './journal-keys.ts';

/** `keys/journals/….json`. */
export function epochKeyPlace(place: EpochPlace): KeyPlace {
  return { key: journalKeyKey(place), owner: { journal: epochName(place) } };
}

/**
 * The data key of an epoch that is about to begin; made where there is none. A rival for the same epoch, or one that died before it
 * began, may have stored one: both would use it, one of them begins. KEY_REQUIRED without a keyring.
 */
export async function ensureEpochKey(context: RepositoryContext, place: EpochPlace): Promise<DataKey> {
  await createKey(context, epochKeyPlace(place));
  return openEpochKey(context, place);
}

/** @throws LifeboatError KEY_REQUIRED, KEY_MISSING, KEY_DAMAGED, KEY_MISMATCH */
export async function openEpochKey(
  context: RepositoryContext,
  place: EpochPlace,
  checkValue?: string | null,
): Promise<DataKey> {
  const expected = checkValue === undefined ? undefined : { checkValue, by: 'begin.json' };
  return openKey(context, epochKeyPlace(place), expected);
}
