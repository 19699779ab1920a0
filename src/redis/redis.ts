import type { Check, RedisFacts } from '../domain/backup.ts';
import type { Operation } from '../domain/operation.ts';

/** Where a server is and how to get in. */
export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: {
    readonly caPath?: string;
    readonly certPath?: string;
    readonly keyPath?: string;
    readonly servername?: string;
    readonly insecure?: boolean;
  };
}

export type RedisMethod = 'replication' | 'dump';

/** What the source looks like before anything is read; small enough for a history. */
export interface RedisSource {
  readonly server: string;
  readonly role: 'master' | 'replica' | 'unknown';
  readonly keys: number;
  /** Keys per database number. */
  readonly databases: Readonly<Record<string, number>>;
  readonly usedMemoryBytes: number;
  /** The best method this server and user allow. */
  readonly method: RedisMethod;
  /** Why replication cannot be used; empty where it can. */
  readonly methodReason: string;
  readonly replid: string;
  readonly offset: number;
  readonly warnings: readonly string[];
}

export type SnapshotSink = (
  artifact: {
    readonly name: 'snapshot' | 'changes' | 'deletions' | 'digests';
    readonly format: 'redis-rdb' | 'redis-dump' | 'redis-deletions' | 'redis-digest-index';
    readonly attributes: Readonly<Record<string, string>>;
  },
  source: AsyncIterable<Uint8Array>,
) => Promise<void>;

/** The backup that an incremental one stands on. */
export interface ChangesBase {
  /** Its digest index from the first byte. */
  readonly openIndex: () => AsyncIterable<Uint8Array>;
  /** That backup and those it takes values from, oldest first. */
  readonly layers: readonly string[];
  /** Its RDB version: payloads of an older server stay where they are. */
  readonly rdbVersion: number;
}

export interface ChangesContext {
  readonly sink: SnapshotSink;
  readonly operation: Operation;
  /** For what is sorted and does not fit into memory: digests and names of keys, encrypted. */
  readonly scratchDirectory: string;
}

export interface RedisImport {
  readonly target: RedisTarget;
  readonly format: 'redis-rdb' | 'redis-dump';
  readonly facts: RedisFacts;
  /** `auto`: replicaof for an RDB where the target allows it and nothing of its own must stay, else restore. */
  readonly method: 'auto' | 'replicaof' | 'restore';
  /** Address under which the target reaches this process; by default the local address of our connection to it. */
  readonly agentHost?: string;
  /** Replace what is there. Without it a target with keys or functions is refused (REDIS_NOT_EMPTY). */
  readonly dropExisting: boolean;
}

/** A snapshot that was loaded into a target that had been empty. */
export type RedisRemoval = Pick<RedisImport, 'target' | 'format' | 'facts'>;

/** The Redis data plane. Every function closes its sockets before it settles, also on abort. */
export interface Redis {
  /** Ends with the abort of `operation`, where one is given. */
  inspect(target: RedisTarget, operation?: Pick<Operation, 'signal'>): Promise<RedisSource>;
  /**
   * Streams one snapshot through `sink`. The RDB is walked as it passes: its CRC, its end and its key counts are checked.
   * Of a dump the digest index is given too where there is an `indexDirectory` to sort it in.
   */
  exportSnapshot(
    target: RedisTarget,
    method: RedisMethod,
    context: { readonly sink: SnapshotSink; readonly operation: Operation; readonly indexDirectory?: string },
  ): Promise<RedisFacts>;
  /** Streams what changed since a dump: `changes`, `deletions` and `digests`, one after the other. */
  exportChanges(target: RedisTarget, base: ChangesBase, context: ChangesContext): Promise<RedisFacts>;
  /** Reads a stored snapshot to its end without a server: counts, CRC, digest. It may free each chunk that was read. */
  checkSnapshot(
    format: 'redis-rdb' | 'redis-dump',
    source: AsyncIterable<Uint8Array>,
    operation: Operation,
  ): Promise<{ readonly keys: number; readonly databases: Readonly<Record<string, number>>; readonly digest: string }>;
  surveyTarget(
    target: RedisTarget,
    operation?: Pick<Operation, 'signal'>,
  ): Promise<{
    readonly keys: number;
    readonly functions: number;
    readonly server: string;
    readonly role: string;
    /** The same for every address of one server. */
    readonly runId: string;
  }>;
  /**
   * Loads a snapshot and proves it: counts per database and the digest of a snapshot taken back from the target. Where
   * it goes by replication, the target takes no writes until it is proved.
   */
  importSnapshot(
    request: RedisImport,
    context: { readonly open: () => AsyncIterable<Uint8Array>; readonly operation: Operation },
  ): Promise<{ readonly checks: readonly Check[]; readonly method: 'replicaof' | 'restore'; readonly keys: number }>;
  /**
   * The way back to an empty target: empties it when it holds nothing but what was loaded from this snapshot, or a part
   * of it; `keys` is how many there were. Otherwise it is left as it is, and REDIS_TARGET_CHANGED says what else it holds.
   */
  removeSnapshot(
    removal: RedisRemoval,
    context: { readonly open: () => AsyncIterable<Uint8Array>; readonly operation: Operation },
  ): Promise<{ readonly checks: readonly Check[]; readonly keys: number }>;
}
