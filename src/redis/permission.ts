import { type RedisArgument, RespError } from './resp.ts';
import type { RedisSocket } from './socket.ts';

/** May this user run a command here? `reason` is for people and empty for `yes`. */
export interface Permission {
  readonly answer: 'yes' | 'no' | 'unknown';
  readonly reason: string;
}

const YES: Permission = { answer: 'yes', reason: '' };

/**
 * Finds out without running the command. First whether the server has it under its name (COMMAND INFO), then ACL DRYRUN
 * (Redis 7); before 7 the ACL is asked by queueing the command in a transaction that is thrown away. A user who may do
 * none of these gets `unknown`.
 */
export async function permissionFor(
  redis: RedisSocket,
  username: string | undefined,
  command: readonly RedisArgument[],
): Promise<Permission> {
  const name = String(command[0]).toLowerCase();
  const [known] = await redis.pipeline([['COMMAND', 'INFO', name]]);
  if (Array.isArray(known) && known[0] === null) return { answer: 'no', reason: `the server has no ${name} command` };
  const [dryRun] = await redis.pipeline([['ACL', 'DRYRUN', username ?? 'default', ...command]]);
  if (dryRun === 'OK') return YES;
  // A refused dry run is a bulk reply that says which right is missing.
  if (dryRun instanceof Buffer) return { answer: 'no', reason: `the acl does not allow ${name}` };
  return await tryInTransaction(redis, command);
}

/** The ACL is checked when a command is queued; nothing of it runs. */
async function tryInTransaction(redis: RedisSocket, command: readonly RedisArgument[]): Promise<Permission> {
  const name = String(command[0]).toLowerCase();
  const unknown: Permission = { answer: 'unknown', reason: `the acl does not tell whether ${name} is allowed` };
  // MULTI by itself: were it refused while the command is under way already, the command would run.
  const [multi] = await redis.pipeline([['MULTI']]);
  if (multi !== 'OK') return unknown;
  const [queued] = await redis.pipeline([command, ['DISCARD']]);
  if (queued === 'QUEUED') return YES;
  if (queued instanceof RespError && queued.code === 'NOPERM') {
    return { answer: 'no', reason: `the acl does not allow ${name}` };
  }
  return unknown;
}
