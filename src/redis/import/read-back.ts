import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { checkSnapshot, type CheckOptions, type SnapshotCheck } from '../check-snapshot.ts';
import { exportByDump } from '../dump/export-by-dump.ts';
import { toMilliseconds } from '../dump/scan/expiry-reader.ts';
import { chooseExportMethod } from '../inspect.ts';
import type { RedisMethod, RedisTarget } from '../redis.ts';
import { openFullSync } from '../replication/full-sync.ts';
import { RespError } from '../resp.ts';
import { openRedisSocket } from '../socket.ts';

export interface ReadBack extends SnapshotCheck {
  readonly method: RedisMethod;
  /** What expired at or before this time (ms since 1970) is in no number, and is not to be expected. */
  readonly liveAtMs: number;
}

/** Clocks and rounding: what expires within this time of the snapshot is left out of the comparison. */
const EXPIRY_MARGIN_MS = 1000;
/** A dump is no instant: its keys are read until the end, and all that lives until then is compared. */
const DUMP_MARGINS_MS = [60_000, 600_000, 3_600_000];
const PHASE = 'reading the target back';

/** Takes a snapshot of the target as it is now, and its digest, without keeping it. */
export async function readBack(
  target: RedisTarget,
  operation: Operation,
  belongs?: CheckOptions['belongs'],
): Promise<ReadBack> {
  const redis = await openRedisSocket(target, { signal: operation.signal });
  try {
    const { method } = await chooseExportMethod(redis, target.username);
    const [time] = await redis.pipeline([['TIME']]);
    const aheadMs = time instanceof RespError ? 0 : toMilliseconds(time) - Date.now();
    // Keys expire by the clock of the server: where it is ahead of ours, they are gone earlier.
    const now = (): number => Date.now() + Math.max(0, aheadMs) + EXPIRY_MARGIN_MS;
    const reading = { operation, phase: PHASE, ...(belongs === undefined ? {} : { belongs }) };
    return method === 'replication' ? await byReplication(target, reading, now) : await byDump(target, reading, now);
  } finally {
    redis.close();
  }
}

async function byReplication(target: RedisTarget, reading: CheckOptions, now: () => number): Promise<ReadBack> {
  const sync = await openFullSync(target, reading.operation.signal);
  let liveAtMs = 0;
  try {
    // The server has fixed the snapshot before its first byte: what lives at that time is in it.
    const snapshot = await checkSnapshot('redis-rdb', sync.rdb, { ...reading, liveAtMs: () => (liveAtMs = now()) });
    return { ...snapshot, method: 'replication', liveAtMs };
  } finally {
    sync.close();
  }
}

async function byDump(target: RedisTarget, reading: CheckOptions, now: () => number): Promise<ReadBack> {
  for (const marginMs of DUMP_MARGINS_MS) {
    const liveAtMs = now() + marginMs;
    let snapshot: SnapshotCheck | undefined;
    await exportByDump(target, {
      operation: reading.operation,
      sink: async (_artifact, source) => {
        snapshot = await checkSnapshot('redis-dump', source, { ...reading, liveAtMs: () => liveAtMs });
      },
    });
    if (snapshot !== undefined && now() <= liveAtMs) return { ...snapshot, method: 'dump', liveAtMs };
  }
  throw new LifeboatError('REDIS_TIMEOUT', `read redis back: not done within ${DUMP_MARGINS_MS.at(-1)! / 1000} s`);
}
