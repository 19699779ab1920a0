import type { PublicKey } from '../encryption/minisign.ts';
import type { Keyring } from '../encryption/keyring.ts';
import type { Signer } from '../encryption/signer.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** What the parts of a repository work with. */
export interface RepositoryContext {
  readonly store: ObjectStore;
  /** Of lifeboat.json. */
  readonly id: string;
  readonly group: string;
  /** Undefined where nothing is encrypted. */
  readonly keyring: Keyring | undefined;
  /** Keys whose signature counts; empty where nothing can be checked. */
  readonly trustedKeys: readonly PublicKey[];
}

/** What the parts that write need beside. */
export interface WriterContext extends RepositoryContext {
  readonly signer: Signer | undefined;
  /** Input bytes of one object. */
  readonly objectBytes: number;
  /** Name and version for the manifest: `lifeboat/1.0.0`. */
  readonly tool: string;
}
