import { type EscrowKey, loadEscrowKey } from './escrow-key.ts';
import { type Keyring, loadKeyring } from './keyring.ts';
import type { KmsPlaces } from './kms-keys.ts';

/** Where the keys are. */
export interface KeyringPlaces {
  readonly path: string;
  /** Files of public escrow keys. */
  readonly escrow: readonly string[];
  /** Keys of AWS KMS beside those of the file. */
  readonly kms?: KmsPlaces | undefined;
}

/**
 * A keyring that is read again for each use, for processes that live long: a key that was rotated while they run wraps at once,
 * and what was wrapped again opens. A file is small and its uses are few: one or two for a backup. KEY_FILE_* and KMS_* errors, then and later.
 */
export async function followKeyring(places: KeyringPlaces): Promise<Keyring> {
  let newest = await read(places);
  const follow = async (): Promise<Keyring> => (newest = await read(places));
  return {
    get activeId() {
      return newest.activeId;
    },
    get keys() {
      return newest.keys;
    },
    get escrowIds() {
      return newest.escrowIds;
    },
    wrap: async (secret, context) => (await follow()).wrap(secret, context),
    open: async (message, context) => (await follow()).open(message, context),
  };
}

async function read({ path, escrow, kms }: KeyringPlaces): Promise<Keyring> {
  const keys: readonly EscrowKey[] = await Promise.all(escrow.map(loadEscrowKey));
  return loadKeyring(path, { escrow: keys, kms });
}
