import { setTimeout } from 'node:timers/promises';
import { LifeboatError, toLifeboatError } from '../../domain/errors.ts';
import { agentAddress } from '../agent/address.ts';
import { startMasterAgent } from '../agent/master-agent.ts';
import type { Offer, ReplicaSession } from '../agent/replica-session.ts';
import { abortError } from '../connect.ts';
import { requireCounts } from '../inspect.ts';
import { RdbWalker } from '../rdb/walk.ts';
import type { RedisTarget } from '../redis.ts';
import { replyError } from '../reply-error.ts';
import { RespError } from '../resp.ts';
import { parseInfo, totalOf, viewServer } from '../server-view.ts';
import { openRedisSocket, type RedisSocket } from '../socket.ts';
import { replidOf } from './identity.ts';
import type { ImportJob } from './job.ts';
import { type Proof, proveLoaded } from './proof.ts';
import { closeToWrites, reopenToWrites } from './replica-writes.ts';
import { AGENT_OFFSET, type TargetState } from './target-state.ts';

/** The target never came to our agent. Nothing has been changed. */
export const UNREACHED = 'unreached';

/** A target that loads refuses to leave its master; loading what it has takes a second for a million keys. */
const RELEASE_PATIENCE_MS = 120_000;
const RELEASE_RETRY_MS = 500;

/**
 * Makes the target a replica of an agent of ours, gives it the snapshot, proves it, and makes it a master again. The
 * target keeps its data until it has the whole file (unless it loads diskless), then replaces all of it. It is proved
 * while it is a replica, which takes no writes: those of its clients wait for the end and cannot blur the proof.
 * Gives `UNREACHED` when the target cannot connect to us.
 */
export async function loadByReplication(
  redis: RedisSocket,
  job: ImportJob,
  state: TargetState,
): Promise<Proof | typeof UNREACHED> {
  const address = job.request.agentHost ?? redis.localAddress;
  const agent = await startMasterAgent({
    address,
    targetReplid: state.view.info.get('master_replid')!,
    signal: job.operation.signal,
    offer: offerOf(redis, job, state),
  });
  let leave: Leave = { target: job.request.target, port: agent.port, reopens: false };
  try {
    const { open, reopens } = await closeToWrites(redis);
    leave = { ...leave, reopens };
    await redis.command('REPLICAOF', await agentAddress(address), agent.port);
    job.operation.onProgress({ phase: 'waiting for the target to connect', bytes: 0 });
    const session = await agent.replica();
    const proof =
      session && (await serve(session, job, async () => await (job.replay?.prove() ?? proveLoaded(job, open))));
    await release(leave);
    if (proof === undefined) return UNREACHED;
    await requireLoaded(redis, job);
    return proof;
  } catch (error) {
    throw await releaseAfter(error, job, leave);
  } finally {
    agent.close();
  }
}

/** What it takes to make the target its own master again. */
interface Leave {
  readonly target: RedisTarget;
  /** Port of our agent. */
  readonly port: number;
  /** Were clients allowed to write to it as a replica? */
  readonly reopens: boolean;
}

function offerOf(redis: RedisSocket, job: ImportJob, state: TargetState): Offer {
  return {
    replid: replidOf(job.request.facts),
    offset: job.replay?.offset ?? AGENT_OFFSET,
    ...(job.replay === undefined ? {} : { stream: job.replay.stream }),
    rdb: () => soundRdb(job),
    beforeServing: async () => {
      if (!job.request.dropExisting && !state.occupied) await requireStillEmpty(redis);
    },
  };
}

/** Loads, and keeps the link for what is to be done while the target is a replica. */
async function serve(session: ReplicaSession, job: ImportJob, prove: () => Promise<Proof>): Promise<Proof> {
  let bytes = 0;
  await session.serve((sent) => {
    bytes += sent;
    job.operation.onProgress({ phase: 'loading', bytes });
  });
  return await session.whileLinked(prove);
}

/**
 * The stored bytes, walked before they are passed on: the last of them leave only when checksum and end are right.
 * The walk runs one chunk ahead, or the server would get a broken file whole and might end itself over it.
 */
async function* soundRdb(job: ImportJob): AsyncGenerator<Uint8Array, void, undefined> {
  const walker = new RdbWalker();
  let held: Uint8Array | undefined;
  for await (const chunk of job.open()) {
    walker.push(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  walker.end();
  if (held !== undefined) yield held;
}

/** From REPLICAOF on the target takes no writes, so what is empty now stays empty until the load. */
async function requireStillEmpty(redis: RedisSocket): Promise<void> {
  const view = await viewServer(redis);
  const keys = totalOf(requireCounts(view, redis));
  if (keys + view.functions === 0) return;
  throw new LifeboatError(
    'REDIS_TARGET_CHANGED',
    `restore into redis ${redis.name}: ${keys} keys were written meanwhile`,
  );
}

/** The target is a master again, and the history it has just ended is ours: nobody else interfered. */
async function requireLoaded(redis: RedisSocket, job: ImportJob): Promise<void> {
  const info = await replicationOf(redis);
  if (info.get('role') === 'master' && info.get('master_replid2') === replidOf(job.request.facts)) return;
  throw new LifeboatError(
    'REDIS_TARGET_CHANGED',
    `restore into redis ${redis.name}: its replication was changed meanwhile`,
  );
}

/**
 * Ends the replication unless somebody else has taken the target over by now. It has a connection of its own: after an
 * abort or a failure the other one is gone, and the target must not be left behind a master that is dead.
 */
async function release({ target, port, reopens }: Leave): Promise<void> {
  const redis = await openRedisSocket(target);
  try {
    await letGo(redis, port);
    if (reopens) await reopenToWrites(redis);
  } finally {
    redis.close();
  }
}

async function letGo(redis: RedisSocket, port: number): Promise<void> {
  for (const deadline = Date.now() + RELEASE_PATIENCE_MS; ; await setTimeout(RELEASE_RETRY_MS)) {
    const info = await replicationOf(redis);
    if (info.get('role') !== 'slave' || info.get('master_port') !== String(port)) return;
    const [reply] = await redis.pipeline([['REPLICAOF', 'NO', 'ONE']]);
    if (!(reply instanceof RespError)) return;
    const refusal = replyError(reply, `replicaof at redis ${redis.name}`);
    if (refusal.code !== 'REDIS_NOT_READY' || Date.now() > deadline) throw refusal;
  }
}

/** The error with what became of the target: its release is tried whatever happened, and its trouble is told too. */
async function releaseAfter(error: unknown, job: ImportJob, leave: Leave): Promise<LifeboatError> {
  const { signal } = job.operation;
  // An abort shows in many ways, depending on what it hit: the source, the link or our connection.
  const first = signal.aborted ? abortError(signal, 'restore by replication') : toLifeboatError(error);
  let trouble = '';
  try {
    await release(leave);
  } catch (second) {
    trouble = `; and it is still a replica of our agent: ${toLifeboatError(second).message}`;
  }
  return new LifeboatError(first.code, `${first.message}${trouble}`, {
    cause: error,
    details: { ...first.details, targetReleased: trouble === '', targetData: 'undefined' },
    hint: 'the data of the target may be the old, the new or none: run the restore again, or load its saved previous state',
  });
}

async function replicationOf(redis: RedisSocket): Promise<ReadonlyMap<string, string>> {
  const reply = await redis.command('INFO', 'replication');
  return parseInfo(reply instanceof Buffer ? reply.toString('utf8') : '');
}
