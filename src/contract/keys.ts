import type { RewrapReport } from '../domain/key-report.ts';
import type { Requested } from './messages.ts';

export type RewrapInput = Requested;

/** `problems` is cut at a stated number; `problemsTotal` is not. */
export interface RewrapResult extends RewrapReport {
  readonly problemsTotal: number;
}

/** Short steps; task queue `control`. */
export interface KeyControl {
  /** The key that the worker's keyring wraps with. KEY_REQUIRED, KEY_FILE_* */
  planRewrap(input: { readonly group: string }): Promise<{ readonly keyId: string }>;
}

/** Long ones; task queue `data`. */
export interface KeyData {
  /** Wraps every data key for this key where it is not so already: a second run does what is left. KEY_NOT_ACTIVE. */
  rewrapKeys(input: { readonly keyId: string }): Promise<RewrapResult>;
}
