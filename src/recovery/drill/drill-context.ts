import type { DrillCheck } from '../../domain/drill/drill.ts';
import type { Postgres } from '../../postgres/postgres.ts';
import type { Redis } from '../../redis/redis.ts';
import type { ReplaySources } from '../replay/replay-sources.ts';

/** What a rehearsal reads from and works with. */
export interface DrillContext {
  readonly sources: ReplaySources;
  readonly redis: Redis;
  /** redis-server of this host. @throws LifeboatError TOOL_MISSING */
  redisServer(): Promise<string>;
  /** Client programs, whose private files are in this folder. */
  postgres(scratchDir: string): Promise<Postgres>;
  /** A role of the cluster that is restored: its superuser is found through it. */
  readonly user: string;
  /** Folder for scratch places. */
  readonly scratchParent: string;
  readonly checks: readonly DrillCheck[];
}
