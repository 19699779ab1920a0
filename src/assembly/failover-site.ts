import { postgresTargetAt } from '../config/postgres-target.ts';
import { redisTargetIn } from '../config/redis-target.ts';
import type { Config } from '../config/schema/config.ts';
import { durationMs } from '../domain/duration.ts';
import { createAuthorities } from '../failover/epoch.ts';
import type { PostgresNode } from '../failover/postgres/node.ts';
import type { FailoverSite } from '../failover/site.ts';
import { openNamedStore } from './open-stores.ts';

/** Nothing is connected to. Null where no regions are configured. @throws LifeboatError STORE_UNKNOWN, CONFIG_INVALID */
export function openFailoverSite(config: Config): FailoverSite | null {
  const { authority, regions, maxLag, minFree, maxSilence, timeout } = config.failover;
  const [first, second] = Object.keys(regions);
  if (authority === undefined || first === undefined || second === undefined) return null;
  const all = Object.entries(regions);
  return {
    regions: [first, second],
    postgres: new Map(all.flatMap(([name, { postgres }]) => (postgres ? [[name, postgresNode(name, postgres)]] : []))),
    redis: new Map(
      all.flatMap(([name, { redis }]) =>
        redis ? [[name, { name, target: redisTargetIn({ config }, redis.url.reveal()) }]] : [],
      ),
    ),
    services: { postgres: `${config.group}-postgres`, redis: `${config.group}-redis` },
    limits: { maxLagBytes: maxLag, maxSilentSeconds: durationMs(maxSilence) / 1_000, minFreeBytes: minFree },
    timeoutMs: durationMs(timeout),
    authorities: createAuthorities({ store: openNamedStore(config, authority), now: () => new Date() }),
  };
}

type PostgresRegion = NonNullable<Config['failover']['regions'][string]['postgres']>;

function postgresNode(name: string, { url, host, hostTimeout }: PostgresRegion): PostgresNode {
  return {
    name,
    target: postgresTargetAt(url.reveal()),
    host: { command: host, timeoutMs: durationMs(hostTimeout) },
  };
}
