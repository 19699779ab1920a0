import type { PairLimits } from '../domain/failover/finding.ts';
import type { Authorities } from './epoch.ts';
import type { PostgresNode } from './postgres/node.ts';
import type { RedisNode } from './redis/node.ts';

/** The servers of two regions, by the names of the regions, and the authority over them. */
export interface FailoverSite {
  readonly regions: readonly [string, string];
  /** Empty where no such server is configured. */
  readonly postgres: ReadonlyMap<string, PostgresNode>;
  readonly redis: ReadonlyMap<string, RedisNode>;
  /** Names under which the authority is kept. */
  readonly services: { readonly postgres: string; readonly redis: string };
  readonly limits: PairLimits;
  /** For catching up, a promotion and a hand-over, each. */
  readonly timeoutMs: number;
  readonly authorities: Authorities;
}
