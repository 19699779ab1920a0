import { LifeboatError } from '../../../domain/errors.ts';
import { replyError } from '../../reply-error.ts';
import { RespError } from '../../resp.ts';
import type { ServerView } from '../../server-view.ts';
import type { RedisSocket } from '../../socket.ts';

/** Nobody configures more; the search for the last database ends here when the server never refuses one. */
const DATABASES_MAX = 65_536;
const PROBE_STEP = 16;

/**
 * Numbers of the databases to read, ascending: those with keys where the server tells, else all that SELECT accepts.
 * Throws REDIS_PERMISSION_DENIED when the user may neither ask nor try: a backup that leaves databases out in silence
 * is none. Leaves the connection in any of them.
 */
export async function listDatabases(socket: RedisSocket, view: ServerView): Promise<readonly number[]> {
  if (view.databases === undefined) return await probeDatabases(socket);
  return Object.keys(view.databases)
    .map(Number)
    .toSorted((a, b) => a - b);
}

async function probeDatabases(socket: RedisSocket): Promise<readonly number[]> {
  const databases: number[] = [];
  for (let from = 0; from < DATABASES_MAX; from += PROBE_STEP) {
    const step = Array.from({ length: PROBE_STEP }, (_, index) => from + index);
    const replies = await socket.pipeline(step.map((db) => ['SELECT', db]));
    for (const [index, reply] of replies.entries()) {
      if (reply instanceof RespError) return endOfProbe(reply, databases);
      databases.push(from + index);
    }
  }
  throw new LifeboatError('REDIS_REPLY_ERROR', `select at redis ${socket.name}: no end of databases`);
}

/** ERR is the number after the last one (or any but 0 in a cluster); every other refusal leaves the question open. */
function endOfProbe(reply: RespError, databases: readonly number[]): readonly number[] {
  if (reply.code === 'ERR' && databases.length > 0) return databases;
  throw replyError(reply, 'look for databases: neither info nor select is allowed');
}
