import { LifeboatError } from '../domain/errors.ts';
import type { Operation } from '../domain/operation.ts';
import { permissionFor } from './permission.ts';
import type { RedisMethod, RedisSource, RedisTarget } from './redis.ts';
import { RespError } from './resp.ts';
import { type ServerView, totalOf, viewServer } from './server-view.ts';
import { openRedisSocket, type RedisSocket, type RedisSocketOptions } from './socket.ts';

/** Questions that a server answers from memory: one that takes longer is stuck, in a script or by its machine. */
const ANSWER_TIMEOUT_MS = 30_000;

/** What the source looks like and the best way to read it. Nothing is changed. */
export async function inspectSource(target: RedisTarget, operation?: Pick<Operation, 'signal'>): Promise<RedisSource> {
  const redis = await openRedisSocket(target, questionOptions(operation));
  try {
    const view = await viewServer(redis);
    const choice = await chooseExportMethod(redis, target.username);
    return {
      server: view.version,
      role: view.role,
      keys: totalOf(view.databases ?? {}),
      databases: view.databases ?? {},
      usedMemoryBytes: Number(view.info.get('used_memory') ?? 0),
      method: choice.method,
      methodReason: choice.reason,
      replid: view.info.get('master_replid') ?? '',
      offset: Number(view.info.get('master_repl_offset') ?? 0),
      warnings: warningsOf(view),
    };
  } finally {
    redis.close();
  }
}

/** What stands in a restore's way. REDIS_PERMISSION_DENIED when this user cannot even count the keys. */
export async function surveyTarget(
  target: RedisTarget,
  operation?: Pick<Operation, 'signal'>,
): Promise<{ keys: number; functions: number; server: string; role: string; runId: string }> {
  const redis = await openRedisSocket(target, questionOptions(operation));
  try {
    const view = await viewServer(redis);
    return {
      keys: totalOf(requireCounts(view, redis)),
      functions: view.functions,
      server: view.version,
      role: view.role,
      runId: runIdOf(view, redis),
    };
  } finally {
    redis.close();
  }
}

/** Of this run of the server; its address where it does not tell. */
function runIdOf({ info }: ServerView, { name }: RedisSocket): string {
  return info.get('run_id') ?? name;
}

function questionOptions(operation: Pick<Operation, 'signal'> | undefined): RedisSocketOptions {
  return { replyTimeoutMs: ANSWER_TIMEOUT_MS, ...(operation === undefined ? {} : { signal: operation.signal }) };
}

/** Nothing may be replaced that nobody could count. */
export function requireCounts(view: ServerView, redis: RedisSocket): Readonly<Record<string, number>> {
  if (view.databases !== undefined) return view.databases;
  throw new LifeboatError(
    'REDIS_PERMISSION_DENIED',
    `count keys of redis ${redis.name}: neither info nor dbsize is allowed`,
  );
}

/** The best way to read a server as this user, without reading it. */
export async function chooseExportMethod(
  redis: RedisSocket,
  username: string | undefined,
): Promise<{ readonly method: RedisMethod; readonly reason: string }> {
  const psync = await permissionFor(redis, username, ['PSYNC', '?', -1]);
  if (psync.answer === 'no') return { method: 'dump', reason: psync.reason };
  // Harmless by itself: it notes on this connection what a later PSYNC could take.
  const [replconf] = await redis.pipeline([['REPLCONF', 'capa', 'psync2']]);
  if (replconf instanceof RespError)
    return { method: 'dump', reason: `replconf: ${replconf.code} ${replconf.message}` };
  return { method: 'replication', reason: '' };
}

function warningsOf(view: ServerView): string[] {
  const { info } = view;
  const warnings: string[] = [];
  if (info.size === 0) warnings.push('INFO is not allowed: version, role and memory of the server are unknown');
  if (view.databases === undefined) warnings.push('DBSIZE is not allowed: the keys cannot be counted');
  if (info.get('loading') === '1') warnings.push('the server is still loading its data set');
  if (info.get('master_link_status') === 'down') warnings.push('the replica has lost its master: its data may be old');
  if (info.get('cluster_enabled') === '1')
    warnings.push('the server is one shard of a cluster: only its slots are covered');
  return warnings;
}
