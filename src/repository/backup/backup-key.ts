import type { DataKey } from '../../encryption/data-key.ts';
import type { RepositoryContext } from '../context.ts';
import { createKey, openKey } from '../keys/open-key.ts';
import type { KeyPlace } from '../keys/wrapped-key.ts';
import { dataKeyKey } from '../layout.ts';

/** `keys/<backupId>.json`. */
export const backupKeyPlace = (backupId: string): KeyPlace => ({ key: dataKeyKey(backupId), owner: { backupId } });

/** Makes and stores the backup's data key, unless there is one. KEY_REQUIRED without a keyring. */
export async function ensureBackupKey(context: RepositoryContext, backupId: string): Promise<void> {
  const place = backupKeyPlace(backupId);
  if ((await context.store.head(place.key)) === undefined) await createKey(context, place);
}

/** The backup's data key. `checkValue` is the manifest's, where there is one: KEY_MISMATCH when the key is another. */
export async function openBackupKey(
  context: RepositoryContext,
  backupId: string,
  checkValue?: string | null,
): Promise<DataKey> {
  const expected = checkValue === undefined ? undefined : { checkValue, by: 'manifest' };
  return openKey(context, backupKeyPlace(backupId), expected);
}
