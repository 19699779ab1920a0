import type { Postgres, PostgresTarget } from '../postgres/postgres.ts';
import type { Redis, RedisTarget } from '../redis/redis.ts';
import type { Codec, Repository } from '../repository/repository.ts';
import type { Services } from '../services/services.ts';

/** The part of the configuration that activities act on, secrets resolved; it never leaves the worker. */
export interface WorkSettings {
  readonly group: string;
  readonly codec: Codec;
  readonly postgres: {
    readonly target: PostgresTarget;
    readonly jobs: number;
    readonly bigTableBytes: number;
    /** zstd level for pg_dump's own compression; 0 = none. */
    readonly zstdLevel: number;
  } | null;
  readonly redis: {
    readonly target: RedisTarget;
    readonly method: 'auto' | 'replication' | 'dump';
    readonly agentHost: string | undefined;
  } | null;
  readonly keepReplacedMs: number;
  /** An attempt whose progress stops for this long is ended. */
  readonly stallAfterMs: number;
}

/** What activities join: libraries that know no Temporal. */
export interface Dependencies {
  readonly settings: WorkSettings;
  /** Opened on first use, so that a worker starts when the store is down; a failed opening is tried again. */
  repository(): Promise<Repository>;
  postgres(): Promise<Postgres>;
  readonly redis: Redis;
  readonly services: Services;
}
