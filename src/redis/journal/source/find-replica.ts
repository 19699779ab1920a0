import { isIP } from 'node:net';
import type { Operation } from '../../../domain/operation.ts';
import type { RedisTarget } from '../../redis.ts';
import { parseInfo } from '../../server-view.ts';
import { openRedisSocket } from '../../socket.ts';

/** A replica that has not said anything for longer than this (seconds) is not a healthy one. */
const LAG_MAX_SECONDS = 1;
/** A replica that does not answer within this time is passed over. */
const ANSWER_TIMEOUT_MS = 5_000;

/**
 * The replica of a master that is best to read from: it spares the master the fork, its clients our acknowledgements in
 * WAIT, and Sentinel a replica that is none. History and offsets are the same. It is looked up in INFO of the master and
 * asked itself, with the same credentials; undefined when there is none that answers and follows.
 */
export async function findReplica(
  target: RedisTarget,
  operation: Pick<Operation, 'signal'>,
): Promise<RedisTarget | undefined> {
  const info = await replicationOf(target, operation);
  if (info.get('role') !== 'master') return undefined;
  for (const { host, port } of replicasIn(info)) {
    const replica = { ...target, host, port, ...tlsFor(target) };
    if (await follows(replica, info.get('master_replid') ?? '', operation)) return replica;
  }
  return undefined;
}

/** `slave0:ip=10.0.0.7,port=6379,state=online,offset=1274,lag=0`, the furthest first. Port 0 is one like us. */
function replicasIn(info: ReadonlyMap<string, string>): readonly { host: string; port: number }[] {
  const replicas: { host: string; port: number; offset: number }[] = [];
  for (const [name, value] of info) {
    if (!/^slave\d+$/.test(name)) continue;
    const fields = new Map(value.split(',').map((field) => field.split('=') as [string, string]));
    const port = Number(fields.get('port'));
    const healthy = fields.get('state') === 'online' && Number(fields.get('lag') ?? Infinity) <= LAG_MAX_SECONDS;
    const host = fields.get('ip') ?? '';
    if (healthy && port > 0 && host !== '') replicas.push({ host, port, offset: Number(fields.get('offset')) });
  }
  return replicas.toSorted((a, b) => b.offset - a.offset);
}

/** Replicas are known by address, their certificates are not. */
function tlsFor({ host, tls }: RedisTarget): Pick<RedisTarget, 'tls'> {
  if (tls === undefined || tls.servername !== undefined || isIP(host) !== 0) return {};
  return { tls: { ...tls, servername: host } };
}

async function follows(replica: RedisTarget, replid: string, operation: Pick<Operation, 'signal'>): Promise<boolean> {
  try {
    const info = await replicationOf(replica, operation);
    return info.get('master_link_status') === 'up' && info.get('master_replid') === replid;
  } catch (error) {
    if (operation.signal.aborted) throw error;
    // Not reachable from here, or other credentials: the next one, or the master itself, will do.
    return false;
  }
}

async function replicationOf(
  target: RedisTarget,
  { signal }: Pick<Operation, 'signal'>,
): Promise<ReadonlyMap<string, string>> {
  const redis = await openRedisSocket(target, { signal, replyTimeoutMs: ANSWER_TIMEOUT_MS });
  try {
    const [reply] = await redis.pipeline([['INFO', 'replication']]);
    // Without the right to ask nothing is known of replicas.
    return Buffer.isBuffer(reply) ? parseInfo(reply.toString('utf8')) : new Map();
  } finally {
    redis.close();
  }
}
