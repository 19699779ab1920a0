import { LifeboatError } from '../../domain/errors.ts';
import { permissionFor } from '../permission.ts';
import { canLoad, rdbReaderOf } from '../rdb/versions.ts';
import type { RedisImport } from '../redis.ts';
import type { RedisSocket } from '../socket.ts';
import type { TargetState } from './target-state.ts';

export interface MethodChoice {
  readonly method: 'replicaof' | 'restore';
  /** Why not the quicker one; empty where it is the quicker one. */
  readonly reason: string;
}

/** Replication where it can work, else key by key. REDIS_IMPORT_IMPOSSIBLE when what was asked for cannot work. */
export async function chooseMethod(
  redis: RedisSocket,
  request: RedisImport,
  state: TargetState,
): Promise<MethodChoice> {
  if (request.method === 'restore') return { method: 'restore', reason: 'asked for' };
  const reason = await whyNotReplication(redis, request, state);
  if (reason === '') return { method: 'replicaof', reason };
  if (request.method === 'auto') return { method: 'restore', reason };
  throw new LifeboatError('REDIS_IMPORT_IMPOSSIBLE', `restore into redis ${redis.name} by replication: ${reason}`);
}

async function whyNotReplication(redis: RedisSocket, request: RedisImport, state: TargetState): Promise<string> {
  const { target, format, facts } = request;
  const { view } = state;
  if (format !== 'redis-rdb') return 'the snapshot is a dump, not an rdb file';
  if (target.tls !== undefined) return 'the target speaks tls, our agent does not';
  if (view.role !== 'master' || !view.info.has('master_replid'))
    return 'the target does not tell its replication state';
  if (view.info.get('cluster_enabled') === '1') return 'the target is a cluster node';
  if (state.replicas > 0) return `the target has ${state.replicas} replicas of its own`;
  const reader = rdbReaderOf(view.product, view.version);
  if (reader === undefined || !canLoad(reader, facts.rdbVersion)) {
    return `${view.product} ${view.version} does not load rdb version ${facts.rdbVersion}`;
  }
  return (await permissionFor(redis, target.username, ['REPLICAOF', 'NO', 'ONE'])).reason;
}
