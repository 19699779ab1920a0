import { join } from 'node:path';
import type { Check } from '../../../domain/backup.ts';
import { withPrivateFolder } from '../../../platform/files.ts';
import { emptyUnlessWritten, writesOf } from '../../import/empty-unless-written.ts';
import { replidOf } from '../../import/identity.ts';
import { emptied, removeSnapshot } from '../../import/remove-snapshot.ts';
import { prepareTarget, type TargetState } from '../../import/target-state.ts';
import { totalOf } from '../../server-view.ts';
import { openRedisSocket } from '../../socket.ts';
import { factsAtCut, standsWhereItEnded } from './replay-into-server.ts';
import { materialise, readPieces } from './load-through-scratch.ts';
import type { ReplayContext, ReplayRequest } from './replay.ts';

export type ReplayRemoval = Pick<ReplayRequest, 'target' | 'facts' | 'cut' | 'serverPath'>;

/**
 * Empties a target that was empty before a snapshot and its stream were replayed into it, wholly or in part: the way back. A target that
 * stands where our history ended was written to by nobody else. Another one, of which keys have expired or that has replicas, is compared
 * with what a server of our own makes of the same snapshot and stream: REDIS_TARGET_CHANGED, and nothing removed, when it holds
 * anything else; REDIS_IMPORT_IMPOSSIBLE where it has to be compared and there is no redis-server on this machine. Safe to run again.
 */
export async function removeReplayed(
  removal: ReplayRemoval,
  context: ReplayContext,
): Promise<{ readonly checks: readonly Check[]; readonly keys: number }> {
  const keys = await emptyWhereUntouched(removal, context);
  if (keys !== undefined) return { checks: [emptied(keys)], keys };
  return await withPrivateFolder('lifeboat-replayed', async (folder) => {
    const rdb = join(folder, 'at-cut.rdb');
    const facts = await materialise(removal, context, { folder, rdb });
    const { target } = removal;
    const { operation } = context;
    return await removeSnapshot({ target, format: 'redis-rdb', facts }, { open: () => readPieces(rdb), operation });
  });
}

/** How many keys there were; undefined, and nothing removed, when only a comparison can tell whose they are. */
async function emptyWhereUntouched(
  { target, facts, cut }: ReplayRemoval,
  { operation }: ReplayContext,
): Promise<number | undefined> {
  const atCut = factsAtCut(facts, cut);
  const request = { target, format: 'redis-rdb', facts: atCut, method: 'auto', dropExisting: true } as const;
  const redis = await openRedisSocket(target, { signal: operation.signal });
  try {
    // Detaches it from an agent of ours that died: its history ends where the loading did.
    if (!(await prepareTarget(redis, request)).occupied) return 0;
    // Before the look at the history, so that no write falls between the two.
    const writes = await writesOf(redis);
    const state = await prepareTarget(redis, request);
    if (!state.loaded || !isUntouched(state, replidOf(atCut))) return undefined;
    const { functions, databases } = state.view;
    return (await emptyUnlessWritten(redis, { writes, functions })) ? totalOf(databases ?? {}) : undefined;
  } finally {
    redis.close();
  }
}

function isUntouched({ view }: TargetState, replid: string): boolean {
  return view.info.get('master_replid2') === replid && standsWhereItEnded(view);
}
