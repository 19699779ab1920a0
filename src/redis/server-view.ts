import { replyError } from './reply-error.ts';
import { RespError } from './resp.ts';
import type { RedisSocket } from './socket.ts';

/** What a server tells about itself, as far as it lets this user ask. */
export interface ServerView {
  /** Fields of INFO by name; empty when INFO is forbidden or missing. */
  readonly info: ReadonlyMap<string, string>;
  readonly product: 'redis' | 'valkey';
  /** `7.0.15`; empty when it does not tell. */
  readonly version: string;
  readonly role: 'master' | 'replica' | 'unknown';
  /** Keys per database number, databases without keys left out; undefined when the user may not count. */
  readonly databases: Readonly<Record<string, number>> | undefined;
  /** Libraries of functions; 0 before Redis 7. */
  readonly functions: number;
}

/** Asked for when INFO KEYSPACE is not to be had; a server with more databases is asked for further ones. */
const DATABASES_PER_PROBE = 16;
/** `databases` of redis.conf has no limit; nobody runs more than a few dozen. */
const DATABASES_MAX = 1024;

export async function viewServer(redis: RedisSocket): Promise<ServerView> {
  const info = await readInfo(redis);
  return {
    info,
    product: info.has('valkey_version') ? 'valkey' : 'redis',
    version: info.get('valkey_version') ?? info.get('redis_version') ?? '',
    role: roleOf(info.get('role')),
    databases: info.has('role') ? keyspaceOf(info) : await countDatabases(redis),
    functions: await countLibraries(redis, info),
  };
}

export function totalOf(databases: Readonly<Record<string, number>>): number {
  return Object.values(databases).reduce((sum, keys) => sum + keys, 0);
}

async function readInfo(redis: RedisSocket): Promise<ReadonlyMap<string, string>> {
  const [reply] = await redis.pipeline([['INFO']]);
  // Managed servers and minimal users go without INFO: everything in it has another source or is left unknown.
  if (isUnavailable(reply)) return new Map();
  if (reply instanceof RespError) throw replyError(reply, `info at redis ${redis.name}`);
  return parseInfo(reply instanceof Buffer ? reply.toString('utf8') : '');
}

/** `name:value` lines; section headings and blank lines are dropped. */
export function parseInfo(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

/** Is the reply a refusal for good: no right, or no such command? */
export function isUnavailable(reply: unknown): reply is RespError {
  return reply instanceof RespError && (reply.code === 'NOPERM' || reply.code === 'ERR');
}

function roleOf(role: string | undefined): ServerView['role'] {
  if (role === 'master') return 'master';
  return role === 'slave' || role === 'replica' ? 'replica' : 'unknown';
}

/** `db0:keys=12,expires=3,avg_ttl=0` */
function keyspaceOf(info: ReadonlyMap<string, string>): Record<string, number> {
  const databases: Record<string, number> = {};
  for (const [name, value] of info) {
    const number = /^db(\d+)$/.exec(name)?.[1];
    const keys = /\bkeys=(\d+)/.exec(value)?.[1];
    if (number !== undefined && keys !== undefined) databases[number] = Number(keys);
  }
  return databases;
}

async function countDatabases(redis: RedisSocket): Promise<Record<string, number> | undefined> {
  const databases: Record<string, number> = {};
  for (let first = 0; first < DATABASES_MAX; first += DATABASES_PER_PROBE) {
    const numbers = Array.from({ length: DATABASES_PER_PROBE }, (_, index) => first + index);
    const replies = await redis.pipeline(numbers.flatMap((number) => [['SELECT', number], ['DBSIZE']]));
    for (const [index, number] of numbers.entries()) {
      const selected = replies[index * 2];
      const size = replies[index * 2 + 1];
      // An index out of range ends the list; a user without +select cannot know what is in the others.
      if (selected instanceof RespError && selected.code === 'ERR' && number > 0) return databases;
      if (selected instanceof RespError || typeof size !== 'number') return undefined;
      if (size > 0) databases[number] = size;
    }
  }
  return databases;
}

async function countLibraries(redis: RedisSocket, info: ReadonlyMap<string, string>): Promise<number> {
  const known = info.get('number_of_libraries');
  if (known !== undefined) return Number(known);
  const [reply] = await redis.pipeline([['FUNCTION', 'LIST']]);
  // No functions before Redis 7; a user without the right cannot have a snapshot of them checked either.
  return Array.isArray(reply) ? reply.length : 0;
}
