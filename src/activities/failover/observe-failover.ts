import { LifeboatError } from '../../domain/errors.ts';
import type { FailoverControl } from '../../contract/failover.ts';
import type { Authority } from '../../domain/failover/authority.ts';
import {
  chooseWay,
  type FailoverPlan,
  type PlannedChange,
  type PostgresChange,
  type RedisChange,
} from '../../domain/failover/failover-plan.ts';
import { judgePostgresPair } from '../../domain/failover/judge-postgres.ts';
import { judgeRedisPair } from '../../domain/failover/judge-redis.ts';
import type { PairVerdict } from '../../domain/failover/pair-verdict.ts';
import { inspectHost } from '../../failover/host/inspect-host.ts';
import type { PostgresNode } from '../../failover/postgres/node.ts';
import { observePostgres } from '../../failover/postgres/observe.ts';
import { observeRedis } from '../../failover/redis/observe.ts';
import type { FailoverSite } from '../../failover/site.ts';
import type { PlanMode } from '../../domain/plan/recovery-plan.ts';
import { nodesOf } from './configured-site.ts';

/** For a question that no change of roles depends on: far less than a verb may take. */
const HOST_ANSWER_MS = 15_000;

interface Question {
  readonly site: FailoverSite;
  readonly from: string;
  readonly to: string;
  readonly mode: PlanMode;
  readonly holder: string;
  readonly signal: AbortSignal;
}

/** See FailoverControl.observeFailover: both services are judged before anything is done about one. */
export async function observeFailover(
  site: FailoverSite,
  {
    targetRegion: to,
    mode,
    holder,
    components = ['postgres', 'redis'],
  }: Parameters<FailoverControl['observeFailover']>[0],
  signal: AbortSignal,
): Promise<FailoverPlan> {
  const from = site.regions.find((region) => region !== to) ?? '';
  const question = { site, from, to, mode, holder, signal };
  const [postgres, redis] = await Promise.all([
    site.postgres.size === 0 || !components.includes('postgres') ? null : observePostgresChange(question),
    site.redis.size === 0 || !components.includes('redis') ? null : observeRedisChange(question),
  ]);
  return { targetRegion: to, postgres, redis };
}

async function observePostgresChange(question: Question): Promise<PostgresChange> {
  const { site, signal } = question;
  const { old, next } = nodesOf(site.postgres, question);
  const [authority, before, after, standbyFreeBytes] = await Promise.all([
    site.authorities.read(site.services.postgres),
    observePostgres(old, signal),
    observePostgres(next, signal),
    freeBytesOf(next, signal),
  ]);
  const verdict = judgePostgresPair({
    nodes: [before, after],
    limits: site.limits,
    standbyFreeBytes,
    ...authorizedOf(authority, question),
  });
  const change = planChange(site.services.postgres, { ...question, verdict, authority });
  return {
    ...change,
    systemIdentifier: after.answers ? after.systemIdentifier : '',
    timeline: after.answers ? after.timeline : 0,
    primaryLsn: before.answers && !before.inRecovery ? before.lsn : null,
  };
}

/** A host that cannot be asked is worth knowing, and no reason to stay on a primary that is about to be lost. */
async function freeBytesOf(node: PostgresNode, signal: AbortSignal): Promise<number | { readonly unknown: string }> {
  const timeout = AbortSignal.timeout(HOST_ANSWER_MS);
  try {
    return (await inspectHost(node, AbortSignal.any([signal, timeout]))).freeBytes;
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) return { unknown: `its host did not answer within ${HOST_ANSWER_MS / 1_000} s` };
    if (!(error instanceof LifeboatError)) throw error;
    return { unknown: error.message };
  }
}

async function observeRedisChange(question: Question): Promise<RedisChange> {
  const { site, signal } = question;
  const { old, next } = nodesOf(site.redis, question);
  const [authority, before, after] = await Promise.all([
    site.authorities.read(site.services.redis),
    observeRedis(old, signal),
    observeRedis(next, signal),
  ]);
  const verdict = judgeRedisPair({ nodes: [before, after], limits: site.limits, ...authorizedOf(authority, question) });
  const change = planChange(site.services.redis, { ...question, verdict, authority });
  return {
    ...change,
    replid: after.answers ? after.replid : '',
    silentSeconds: after.answers ? (after.link?.silentSeconds ?? null) : null,
  };
}

/** An authority that is where the roles shall go forbids nothing: it is what a run has taken that did not come to its end. */
function authorizedOf(authority: Authority | undefined, { to }: Question): { readonly authorized?: string } {
  return authority === undefined || authority.region === to ? {} : { authorized: authority.region };
}

function planChange(
  service: string,
  question: Question & { readonly verdict: PairVerdict; readonly authority: Authority | undefined },
): PlannedChange {
  const { from, to, verdict, authority } = question;
  const sentences = (wanted: 'approval' | 'notice'): readonly string[] =>
    verdict.findings.filter(({ weight }) => weight === wanted).map(({ message }) => message);
  const way = chooseWay(question);
  const epoch = authority?.epoch ?? 0;
  return { service, from, to, way, epoch, approvals: sentences('approval'), notices: sentences('notice') };
}
