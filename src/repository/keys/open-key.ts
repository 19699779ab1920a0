import { LifeboatError } from '../../domain/errors.ts';
import { type DataKey, makeDataKey, openDataKey } from '../../encryption/data-key.ts';
import type { RepositoryContext } from '../context.ts';
import {
  contextOf,
  openedBy,
  formatWrappedKey,
  type KeyPlace,
  nameOf,
  readWrappedKey,
  requireKeyring,
} from './wrapped-key.ts';

/** Makes a data key and stores it wrapped; what another has stored meanwhile counts. KEY_REQUIRED without a keyring. */
export async function createKey(context: RepositoryContext, place: KeyPlace): Promise<void> {
  const made = await makeDataKey(requireKeyring(context, place), contextOf(place));
  try {
    await context.store.put(place.key, formatWrappedKey(place, made), { ifNoneMatch: true });
  } catch (error) {
    if (!(error instanceof LifeboatError && error.code === 'STORE_KEY_EXISTS')) throw error;
  }
}

/**
 * The data key. `expected` is the check value of what is signed, where there is such: KEY_MISMATCH when the key is another.
 * @throws LifeboatError KEY_REQUIRED, KEY_MISSING, KEY_DAMAGED, KEY_MISMATCH
 */
export async function openKey(
  context: RepositoryContext,
  place: KeyPlace,
  expected?: { readonly checkValue: string | null; readonly by: string },
): Promise<DataKey> {
  const keyring = requireKeyring(context, place);
  const wrapped = await readWrappedKey(context.store, place);
  const key = await openedBy(openDataKey, keyring, { place, wrapped });
  if (expected !== undefined) requireExpected(place, key.checkValue, expected);
  return key;
}

export function requireExpected(
  place: KeyPlace,
  checkValue: string,
  expected: { readonly checkValue: string | null; readonly by: string },
): void {
  if (checkValue === expected.checkValue) return;
  const facts = `check value ${checkValue}, ${expected.by} says ${expected.checkValue}`;
  throw new LifeboatError('KEY_MISMATCH', `open key of ${nameOf(place)}: ${facts}`, { details: { ...place.owner } });
}
