import type { Problem } from './backup.ts';

/** A data key that the keyring opened. */
export interface KeyUse {
  /** `backup-…`, or `journals/<kind>/<history>/<epoch>`. */
  readonly name: string;
  /** Ids of the keys that it is wrapped for: that of the keyring first, then escrow keys. Each alone opens it. */
  readonly wrappedFor: readonly string[];
}

/** What became of the data keys of a repository. */
export interface KeyReport {
  readonly opened: readonly KeyUse[];
  /** One for each that was not opened, with the reason; of a backup whose manifest cannot be trusted as well. */
  readonly problems: readonly Problem[];
}

/** What wrapping again did. */
export interface RewrapReport {
  /** The key that all are wrapped for now. */
  readonly keyId: string;
  readonly escrowIds: readonly string[];
  readonly total: number;
  readonly rewrapped: number;
  readonly problems: readonly Problem[];
}

/** How many data keys are wrapped for each key: what a person looks at before retiring one. */
export function countUses(opened: readonly KeyUse[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const id of opened.flatMap(({ wrappedFor }) => wrappedFor)) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
