import type { Check, RedisFacts } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import type { RedisTarget } from '../redis.ts';

/** A stored snapshot, and which keys of it are meant. */
export interface KeySource {
  readonly format: 'redis-rdb' | 'redis-dump';
  readonly facts: RedisFacts;
  /** From its first byte; may be called again. */
  readonly open: () => AsyncIterable<Uint8Array>;
  /** Patterns in the notation of KEYS; a key is meant when any of them matches. */
  readonly patterns: readonly string[];
}

export interface KeySelection extends KeySource {
  readonly target: RedisTarget;
}

/** What was found before anything is written. */
export interface KeySurvey {
  /** Keys of the snapshot that match and have not expired. */
  readonly matching: number;
  /** Those of them that the target has as well: a load with `replace` replaces them. */
  readonly replaced: number;
  /** All keys of the target. */
  readonly present: number;
  /** Keys of the whole snapshot, expired ones too. */
  readonly keys: number;
}

/** Single keys of a snapshot, brought into a live server beside what else it holds; libraries of functions are left alone. */
export interface RedisSelection {
  /** Keys of the target that match any of the patterns. A key that moves while it is counted may count twice. */
  countMatching(target: RedisTarget, patterns: readonly string[], operation: Operation): Promise<number>;
  /** Reads the snapshot to its end: damage is found before the target is touched. */
  survey(selection: KeySelection, operation: Operation): Promise<KeySurvey>;
  /**
   * Writes the keys with their absolute expiries and reads them back. Without `replace` a key that has come into being meanwhile
   * stays. Safe to repeat.
   */
  load(
    selection: KeySelection & { readonly replace: boolean },
    operation: Operation,
  ): Promise<{ readonly keys: number; readonly expired: number; readonly checks: readonly Check[] }>;
  /** The way back: removes the keys that the snapshot would bring, and brings those of them back that `saved` holds. */
  revert(selection: KeySelection, saved: KeySource | null, operation: Operation): Promise<{ readonly keys: number }>;
}
