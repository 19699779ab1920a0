import type { SilentNode } from './postgres-view.ts';

export interface RedisReplica {
  /** As the master sees it, and as FAILOVER TO takes it. */
  readonly host: string;
  readonly port: number;
  readonly state: string;
  readonly offset: number;
  readonly lagSeconds: number;
}

/** One server of a pair, as INFO describes it. Offsets are bytes of the replication stream. */
export interface RedisView {
  readonly node: string;
  readonly answers: true;
  readonly role: 'master' | 'replica';
  readonly version: string;
  /** History of the stream, the one before it, and the offset up to which the two are the same (-1 without one). */
  readonly replid: string;
  readonly replid2: string;
  readonly secondOffset: number;
  /** A master: what it has written. A replica: what it has processed. */
  readonly offset: number;
  readonly loading: boolean;
  /** `no-failover`, `waiting-for-sync`, `failover-in-progress`. */
  readonly failoverState: string;
  /** Of a replica. */
  readonly link: {
    readonly follows: string;
    readonly up: boolean;
    /** Since the last byte of the master; null while it was never linked. */
    readonly silentSeconds: number | null;
  } | null;
  readonly replicas: readonly RedisReplica[];
  /** min-replicas-to-write is set, and no replica is good: it refuses writes. */
  readonly refusesWrites: boolean;
  /** The last save or append failed, as on a full disk: a master that is so refuses writes, where it is set up to keep them. */
  readonly cannotSave: boolean;
  /** Neither AOF nor an RDB on disk: a restart would come back empty, and empty its replicas. */
  readonly keepsNothing: boolean;
}

export type RedisNodeView = RedisView | SilentNode;
