import type { FailoverControl } from '../../contract/failover.ts';
import type { Authority } from '../../domain/failover/authority.ts';
import type { PostgresChange, RedisLoss } from '../../domain/failover/failover-plan.ts';
import { lostBytes } from '../../domain/failover/redis-divergence.ts';
import { createMandate } from '../../failover/epoch.ts';
import { awaitCaughtUp } from '../../failover/postgres/await-caught-up.ts';
import { countMissing } from '../../failover/postgres/count-missing.ts';
import { fencePrimary } from '../../failover/postgres/fence-primary.ts';
import { measureLoss } from '../../failover/postgres/measure-loss.ts';
import { promote } from '../../failover/postgres/promote.ts';
import { proveLine } from '../../failover/postgres/prove-line.ts';
import type { Promote } from '../../failover/postgres/promotion.ts';
import { handOver } from '../../failover/redis/hand-over.ts';
import { observeRedis } from '../../failover/redis/observe.ts';
import { promoteReplica } from '../../failover/redis/promote-replica.ts';
import type { RedisAct } from '../../failover/redis/redis-acts.ts';
import type { FailoverSite } from '../../failover/site.ts';
import type { Dependencies } from '../dependencies.ts';
import { withOperation } from '../operation.ts';
import { configuredSite, nodesOf, requireRegion } from './configured-site.ts';
import { observeFailover } from './observe-failover.ts';
import { createRejoinActivities } from './rejoin-activities.ts';

/** Adapters: each act is one of the library's, under the authority that the run has taken. */
export function createFailoverActivities(deps: Dependencies): FailoverControl {
  const { settings } = deps;
  const site = (): FailoverSite => configuredSite(deps);
  return {
    observeFailover: (input) =>
      withOperation(settings, async ({ signal }) =>
        observeFailover(requireRegion(deps, input.targetRegion), input, signal),
      ),
    proveLine: ({ change }) =>
      withOperation(settings, async ({ signal }) => {
        const { old: primary, next: standby } = nodesOf(site().postgres, change);
        return { lsn: await proveLine({ primary, standby, timeoutMs: site().timeoutMs, signal }) };
      }),
    takeAuthority: (input) => withOperation(settings, async () => site().authorities.take(input)),
    fencePrimary: ({ change, authority }) =>
      withOperation(settings, async ({ signal }) => {
        const { old: primary } = nodesOf(site().postgres, change);
        const { systemIdentifier } = change;
        const { mandate } = actUnder(site(), authority, signal);
        return fencePrimary({ primary, systemIdentifier, mandate, signal });
      }),
    awaitCaughtUp: ({ change, proof }) =>
      withOperation(settings, async ({ signal }) => {
        const { next: standby } = nodesOf(site().postgres, change);
        return { lsn: await awaitCaughtUp({ standby, proof, timeoutMs: site().timeoutMs, signal }) };
      }),
    promoteStandby: ({ change, authority, proof }) =>
      withOperation(settings, async ({ signal }) => {
        const { old, next: standby } = nodesOf(site().postgres, change);
        const seen = change.primaryLsn === null ? {} : { lastPrimaryLsn: change.primaryLsn };
        return promote({
          standby,
          old,
          proof: proofOf(proof, change),
          ...seen,
          ...actUnder(site(), authority, signal),
        });
      }),
    countMissing: ({ change }) =>
      withOperation(settings, async (operation) => {
        const { old, next: standby } = nodesOf(site().postgres, change);
        return countMissing({ old, standby, timeline: change.timeline }, operation);
      }),
    measureLoss: ({ change, forkLsn }) =>
      withOperation(settings, async (operation) => {
        const { old } = nodesOf(site().postgres, change);
        return measureLoss({ old, forkLsn, timeline: change.timeline }, operation);
      }),
    ...createRedisActs(deps),
    ...createRejoinActivities(deps),
  };
}

type RedisActs = Pick<FailoverControl, 'handOverRedis' | 'promoteReplica' | 'measureRedisLoss'>;

function createRedisActs(deps: Dependencies): RedisActs {
  const { settings } = deps;
  const site = (): FailoverSite => configuredSite(deps);
  return {
    handOverRedis: ({ change, authority }) =>
      withOperation(settings, async ({ signal }) => {
        const { old: master, next: replica } = nodesOf(site().redis, change);
        return handOver({ master, replica, ...actUnder(site(), authority, signal) });
      }),
    promoteReplica: ({ change, authority, approvedBy: by }) =>
      withOperation(settings, async ({ signal }) => {
        const { old, next: replica } = nodesOf(site().redis, change);
        const evidence = `approved before step ${authority.holder}`;
        const proof = { kind: 'approved', by, evidence, replid: change.replid } as const;
        return promoteReplica({ replica, old, proof, ...actUnder(site(), authority, signal) });
      }),
    measureRedisLoss: ({ change }) =>
      withOperation(settings, async ({ signal }): Promise<RedisLoss> => {
        const { old, next } = nodesOf(site().redis, change);
        const [before, after] = await Promise.all([observeRedis(old, signal), observeRedis(next, signal)]);
        const bytes = before.answers && after.answers ? lostBytes(before, after) : null;
        if (bytes === null) return { kind: 'estimate', bytes, seconds: change.silentSeconds };
        return { kind: 'exact', bytes, seconds: bytes === 0 ? 0 : change.silentSeconds };
      }),
  };
}

function actUnder({ authorities, timeoutMs }: FailoverSite, authority: Authority, signal: AbortSignal): RedisAct {
  return { mandate: createMandate(authorities, authority), timeoutMs, signal };
}

/** An approval without a fence names no bytes: what only a lost primary has is not known. */
function proofOf(
  proof: Parameters<FailoverControl['promoteStandby']>[0]['proof'],
  { systemIdentifier, timeline }: PostgresChange,
): Promote['proof'] {
  return proof.kind === 'approved'
    ? { ...proof, systemIdentifier, timeline, lossBytes: proof.lossBytes ?? null }
    : proof;
}
