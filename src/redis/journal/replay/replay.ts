import type { Check, RedisFacts } from '../../../domain/backup.ts';
import type { Operation } from '../../../domain/operation.ts';
import type { RedisTarget } from '../../redis.ts';
import type { StreamCut, StreamSource } from '../journal.ts';

export interface ReplayRequest {
  readonly target: RedisTarget;
  /** Of the snapshot in front of the stream. */
  readonly facts: RedisFacts;
  readonly cut: StreamCut;
  /** Replace what is there. Without it a target with keys or functions is refused (REDIS_NOT_EMPTY). */
  readonly dropExisting: boolean;
  /** Address under which the target reaches this process; by default the local address of our connection to it. */
  readonly agentHost?: string;
  /** redis-server for targets that cannot replicate from us; found on PATH without it. */
  readonly serverPath?: string;
}

export interface ReplayContext {
  /** See ImportJob.open. */
  readonly snapshot: () => AsyncIterable<Uint8Array>;
  readonly stream: StreamSource;
  readonly operation: Operation;
}

export interface ReplayResult {
  readonly checks: readonly Check[];
  readonly keys: number;
  /** Where the target stands in the history of the source. */
  readonly offset: number;
}
