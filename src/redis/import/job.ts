import type { Operation } from '../../domain/operation.ts';
import type { RedisImport } from '../redis.ts';

/** What every part of an import is given. */
export interface ImportJob {
  readonly request: RedisImport;
  /** The stored snapshot from its first byte; may be called again. */
  readonly open: () => AsyncIterable<Uint8Array>;
  readonly operation: Operation;
}
