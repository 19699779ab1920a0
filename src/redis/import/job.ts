import type { Check } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import type { Offer } from '../agent/replica-session.ts';
import type { RedisImport } from '../redis.ts';

/** What every part of an import is given. */
export interface ImportJob {
  readonly request: RedisImport;
  /** The stored snapshot from its first byte; may be called again. The chunks are its reader's, who frees them. */
  readonly open: () => AsyncIterable<Uint8Array>;
  readonly operation: Operation;
  /** A stream behind the snapshot. What it leads to cannot be compared with the snapshot, so it has a proof of its own. */
  readonly replay?: {
    /** Offset of the snapshot in its history. */
    readonly offset: number;
    readonly stream: NonNullable<Offer['stream']>;
    /** Called while the target is a replica. */
    readonly prove: () => Promise<{
      readonly checks: readonly Check[];
      readonly keys: number;
      readonly read: undefined;
    }>;
  };
}
