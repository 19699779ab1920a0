import type { KeyReport, RewrapReport } from '../../domain/key-report.ts';
import type { Operation } from '../../domain/operation.ts';

/** The wrapped data keys of a repository: of its backups, and of the epochs of its journals. */
export interface KeyReader {
  /** Opens each with the keyring, and looks whether one that should be there is missing. KEY_REQUIRED without a keyring. */
  check(operation: Operation): Promise<KeyReport>;
}

export interface Keys extends KeyReader {
  /**
   * Wraps each again for the active key and the escrow keys of now, where it is not so already: nothing else is touched, and a run
   * that dies is continued by the next. `keyId`: the key that must be active, KEY_NOT_ACTIVE when another one is.
   */
  rewrap(keyId: string, operation: Operation): Promise<RewrapReport>;
  /** The key that wraps now. KEY_REQUIRED without a keyring. */
  activeId(): Promise<string>;
}
