import type { Check, RedisFacts } from '../../../domain/backup.ts';
import { LifeboatError } from '../../../domain/errors.ts';
import { chooseMethod } from '../../import/choose-method.ts';
import { replidOf } from '../../import/identity.ts';
import type { ImportJob } from '../../import/job.ts';
import { loadByReplication, UNREACHED } from '../../import/load-by-replication.ts';
import type { Proof } from '../../import/proof.ts';
import { notEmpty, prepareTarget, type TargetState } from '../../import/target-state.ts';
import { type ServerView, totalOf, viewServer } from '../../server-view.ts';
import { openRedisSocket, type RedisSocket } from '../../socket.ts';
import type { StreamSource } from '../journal.ts';
import { absoluteExpiries, sendsRelativeExpiries } from '../stream/absolute-expiries.ts';
import { cutStream } from '../stream/cut-stream.ts';
import type { ReplayContext, ReplayRequest, ReplayResult } from './replay.ts';
import { loadThroughScratch } from './load-through-scratch.ts';

/**
 * Brings a server to the state that the source had at the cut: it is made a replica of an agent of ours, which gives it
 * the snapshot and the stream behind it. A replica expires nothing by its own clock, so a key that was changed and
 * expired in the meantime comes out right: sent by a client, the same commands would make another, lasting key of it.
 * A target that cannot replicate gets the keys of a scratch server that can. Safe to run again after any failure.
 * REDIS_IMPORT_IMPOSSIBLE for a target older than the source: it may not know the commands.
 */
export async function replayIntoServer(request: ReplayRequest, context: ReplayContext): Promise<ReplayResult> {
  const { operation } = context;
  const redis = await openRedisSocket(request.target, { signal: operation.signal });
  try {
    const job = await jobOf(redis, request, context);
    const state = await prepareTarget(redis, job.request);
    const earlier = state.loaded ? await earlierResult(redis, request, state) : undefined;
    if (earlier !== undefined) return earlier;
    requireAsNew(redis, request.facts, state.view.version);
    const { method, reason } = await chooseMethod(redis, job.request, state);
    const proof = method === 'replicaof' ? await loadByReplication(redis, job, state) : UNREACHED;
    if (proof !== UNREACHED) return { checks: proof.checks, keys: proof.keys, offset: request.cut.offset };
    const why = reason === '' ? 'the target could not connect to us' : reason;
    return await loadThroughScratch(request, context, why);
  } finally {
    redis.close();
  }
}

/** The import of a snapshot whose history goes on to the cut, and has an identity of its own for it. */
async function jobOf(redis: RedisSocket, request: ReplayRequest, context: ReplayContext): Promise<ImportJob> {
  const { facts, cut, target, dropExisting, agentHost } = request;
  const { snapshot, stream, operation } = context;
  const atCut = factsAtCut(facts, cut);
  const errors = await errorRepliesOf(redis);
  const offered = streamOf(facts, { cut, stream });
  return {
    request: {
      target,
      format: 'redis-rdb',
      facts: atCut,
      method: 'auto',
      dropExisting,
      ...(agentHost === undefined ? {} : { agentHost }),
    },
    open: snapshot,
    operation,
    replay: {
      offset: facts.offset,
      stream: offered,
      prove: async () => await proveReplay(redis, { offset: offered.endOffset, replid: replidOf(atCut), errors }),
    },
  };
}

/** The facts under which snapshot and stream are offered as one. */
export function factsAtCut(facts: RedisFacts, { offset }: ReplayRequest['cut']): RedisFacts {
  return { ...facts, offset, snapshotAt: `${facts.snapshotAt} and ${offset - facts.offset} bytes` };
}

/** Of servers that send the time that is left, expiries are made instants: then it is longer, and ends at another offset. */
function streamOf(
  { server, offset: from }: RedisFacts,
  { cut, stream }: Pick<ReplayRequest, 'cut'> & Pick<ReplayContext, 'stream'>,
): NonNullable<NonNullable<ImportJob['replay']>['stream']> {
  const cutFrom = (source: StreamSource): AsyncIterable<Buffer> => cutStream(source, { from, cut, dataOnly: false });
  if (!sendsRelativeExpiries(server)) return { open: () => cutFrom(stream), endOffset: cut.offset };
  let endOffset = cut.offset;
  return {
    async *open() {
      endOffset = from;
      for await (const part of absoluteExpiries(stream, { from, cut: cutFrom })) {
        endOffset += part.length;
        yield part;
      }
    },
    /** Known once it was read. */
    get endOffset() {
      return endOffset;
    },
  };
}

/**
 * The target has taken exactly our history up to the cut, and no command of it was refused. That the values are those
 * of the source follows from replication itself; there is nothing to compare them with.
 */
async function proveReplay(
  redis: RedisSocket,
  expected: { readonly offset: number; readonly replid: string; readonly errors: number },
): Promise<Proof & { readonly read: undefined }> {
  const view = await viewServer(redis);
  const position = `${view.info.get('master_replid')} ${view.info.get('master_repl_offset')}`;
  const refused = Number(view.info.get('unexpected_error_replies') ?? 0) - expected.errors;
  return {
    checks: [
      check(
        'redis stream position',
        `${expected.replid} ${expected.offset}`,
        position,
        'history and offset of the target',
      ),
      check('redis stream errors', '0', String(refused), 'commands of the stream that the target refused'),
    ],
    keys: totalOf(view.databases ?? {}),
    read: undefined,
  };
}

function check(name: string, expected: string, actual: string, message: string): Check {
  return { name, status: expected === actual ? 'pass' : 'fail', expected, actual, message };
}

/** Counted since the server started: `unexpected_error_replies` are those to a master or an append-only file. */
async function errorRepliesOf(redis: RedisSocket): Promise<number> {
  const { info } = await viewServer(redis);
  return Number(info.get('unexpected_error_replies') ?? 0);
}

/** An attempt that died after loading has left the target at the cut; undefined when it was written to since then. */
async function earlierResult(
  redis: RedisSocket,
  { cut, dropExisting }: ReplayRequest,
  { view }: TargetState,
): Promise<ReplayResult | undefined> {
  if (endOf(view) >= cut.offset && standsWhereItEnded(view)) {
    const checks = [
      check('redis stream position', 'loaded', 'loaded', 'by an earlier attempt; nothing was written since'),
    ];
    return { checks, keys: totalOf(view.databases ?? {}), offset: cut.offset };
  }
  if (dropExisting) return undefined;
  throw notEmpty(view, redis);
}

/** Where the history ended that the target followed before its own. */
function endOf(view: ServerView): number {
  return Number(view.info.get('second_repl_offset')) - 1;
}

/** Nothing has come since, from clients or by expiry. */
export function standsWhereItEnded(view: ServerView): boolean {
  return view.info.get('master_repl_offset') === String(endOf(view));
}

function requireAsNew(redis: RedisSocket, { server }: RedisFacts, version: string): void {
  const [source, target] = [server, version].map((text) => text.split('.').map(Number));
  const [major = 0, minor = 0] = source ?? [];
  const [targetMajor = 0, targetMinor = 0] = target ?? [];
  if (server === '' || version === '' || targetMajor > major || (targetMajor === major && targetMinor >= minor)) return;
  throw new LifeboatError(
    'REDIS_IMPORT_IMPOSSIBLE',
    `replay into redis ${redis.name}: it is ${version}, the stream is of ${server} and may hold commands it does not know`,
    { hint: 'name a target of at least the version of the source' },
  );
}
