import type { RedisNodeView, RedisReplica, RedisView } from '../../domain/failover/redis-view.ts';
import type { RespValue } from '../../redis/resp.ts';
import { parseInfo } from '../../redis/server-view.ts';
import { silentOr } from '../silent-or.ts';
import { type RedisNode, withRedis } from './node.ts';

/** For connecting and the answer together. */
const LIMIT_MS = 7_000;
/** Not there, or not ready. Everything else (a wrong password) is an error of the question. */
const SILENT: readonly string[] = ['REDIS_UNREACHABLE', 'REDIS_CONNECTION_LOST', 'REDIS_TIMEOUT', 'REDIS_NOT_READY'];

type Info = ReadonlyMap<string, string>;

/**
 * One server as INFO describes it; a silent one with the reason. Nothing is changed.
 * @throws LifeboatError REDIS_AUTH_FAILED, REDIS_PERMISSION_DENIED and the like
 */
export async function observeRedis(node: RedisNode, signal: AbortSignal): Promise<RedisNodeView> {
  return silentOr(node.name, { limitMs: LIMIT_MS, silent: SILENT, signal }, (limited) =>
    withRedis(node, limited, async (redis) => {
      const reply = await redis.command('INFO');
      const [save] = await redis.pipeline([['CONFIG', 'GET', 'save']]);
      return viewOf(node.name, parseInfo(reply instanceof Buffer ? reply.toString('utf8') : ''), isEmptySetting(save));
    }),
  );
}

function viewOf(node: string, info: Info, savesNothing: boolean): RedisView {
  const role = info.get('role') === 'master' ? 'master' : 'replica';
  return {
    node,
    answers: true,
    role,
    version: info.get('valkey_version') ?? info.get('redis_version') ?? '',
    replid: info.get('master_replid') ?? '',
    replid2: info.get('master_replid2') ?? '',
    secondOffset: Number(info.get('second_repl_offset') ?? -1),
    offset: Number(info.get(role === 'master' ? 'master_repl_offset' : 'slave_repl_offset') ?? 0),
    loading: info.get('loading') === '1' || info.get('master_sync_in_progress') === '1',
    failoverState: info.get('master_failover_state') ?? 'no-failover',
    link: role === 'master' ? null : linkOf(info),
    replicas: [...info].flatMap(([name, value]) => (/^slave\d+$/.test(name) ? [replicaOf(value)] : [])),
    refusesWrites: info.get('min_slaves_good_slaves') === '0',
    cannotSave: info.get('rdb_last_bgsave_status') === 'err' || info.get('aof_last_write_status') === 'err',
    keepsNothing: info.get('aof_enabled') === '0' && savesNothing,
  };
}

/** `["save", ""]`. A user that may not ask is not told of it. */
function isEmptySetting(reply: RespValue | undefined): boolean {
  return Array.isArray(reply) && reply[1] instanceof Buffer && reply[1].length === 0;
}

function linkOf(info: Info): RedisView['link'] {
  const silent = Number(info.get('master_last_io_seconds_ago') ?? -1);
  return {
    follows: `${info.get('master_host')}:${info.get('master_port')}`,
    up: info.get('master_link_status') === 'up',
    silentSeconds: silent < 0 ? null : silent,
  };
}

/** `ip=127.0.0.1,port=6380,state=online,offset=14,lag=1` */
function replicaOf(value: string): RedisReplica {
  const fields = new Map(value.split(',').map((field): [string, string] => splitOnce(field)));
  return {
    host: fields.get('ip') ?? '',
    port: Number(fields.get('port')),
    state: fields.get('state') ?? '',
    offset: Number(fields.get('offset')),
    lagSeconds: Number(fields.get('lag')),
  };
}

function splitOnce(field: string): [string, string] {
  const at = field.indexOf('=');
  return [field.slice(0, at), field.slice(at + 1)];
}
