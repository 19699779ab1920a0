import type { FailoverControl } from '../../contract/failover.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { RejoinPlan } from '../../domain/failover/rejoin-plan.ts';
import { createMandate } from '../../failover/epoch.ts';
import { rejoinPrimary } from '../../failover/postgres/rejoin-primary.ts';
import { surveyOldPrimary } from '../../failover/postgres/survey-old-primary.ts';
import { rejoinMaster } from '../../failover/redis/rejoin-master.ts';
import type { FailoverSite } from '../../failover/site.ts';
import type { Dependencies } from '../dependencies.ts';
import { withOperation } from '../operation.ts';
import { configuredSite, nodesOf, requireRegion } from './configured-site.ts';

type RejoinActs = Pick<FailoverControl, 'planRejoin' | 'rejoinPostgres' | 'rejoinRedis'>;

/** Adapters: old servers become standbys of the new ones. */
export function createRejoinActivities(deps: Dependencies): RejoinActs {
  const { settings } = deps;
  return {
    planRejoin: ({ region }) =>
      withOperation(settings, async (operation) => planRejoin(requireRegion(deps, region), region, operation)),
    rejoinPostgres: ({ plan, authority, givenUpTransactions, rebuild }) =>
      withOperation(settings, async (operation) => {
        const site = configuredSite(deps);
        const { old, next: primary } = nodesOf(site.postgres, { from: plan.old, to: plan.primary });
        const { host, port, user } = primary.target;
        const { timeline, forkLsn } = plan;
        const { way, loss } = await rejoinPrimary(
          {
            old,
            primary,
            forkLsn,
            timeline,
            source: { host, port, user },
            givenUpTransactions,
            rebuild,
            mandate: createMandate(site.authorities, authority),
            timeoutMs: site.timeoutMs,
          },
          operation,
        );
        return { primary: plan.primary, way, loss };
      }),
    rejoinRedis: ({ plan, authority }) =>
      withOperation(settings, async ({ signal }) => {
        const site = configuredSite(deps);
        const { old, next: master } = nodesOf(site.redis, { from: plan.old, to: plan.primary });
        const mandate = createMandate(site.authorities, authority);
        const { discardedBytes } = await rejoinMaster({ old, master, mandate, timeoutMs: site.timeoutMs, signal });
        return { primary: plan.primary, discardedBytes };
      }),
  };
}

async function planRejoin(site: FailoverSite, region: string, operation: Operation): Promise<RejoinPlan> {
  const primary = site.regions.find((other) => other !== region) ?? '';
  const between = { old: region, primary };
  const [postgres, redis] = await Promise.all([
    site.postgres.size === 0 ? null : authorityOf(site, site.services.postgres, primary),
    site.redis.size === 0 ? null : authorityOf(site, site.services.redis, primary),
  ]);
  if (postgres === null) return { region, postgres, redis: redis && { ...redis, ...between } };
  const { old, next } = nodesOf(site.postgres, { from: region, to: primary });
  const found = await surveyOldPrimary({ old, primary: next }, operation);
  return { region, postgres: { ...postgres, ...between, ...found }, redis: redis && { ...redis, ...between } };
}

/** Nothing follows a server that the authority does not name. */
async function authorityOf(
  { authorities }: FailoverSite,
  service: string,
  primary: string,
): Promise<{ service: string; epoch: number }> {
  const authority = await authorities.read(service);
  if (authority === undefined || authority.region === primary) return { service, epoch: authority?.epoch ?? 0 };
  const message = `make a server follow ${primary}: ${authority.region} holds the authority over ${service}`;
  throw new LifeboatError('FAILOVER_NOT_READY', message, { details: { service, region: authority.region } });
}
