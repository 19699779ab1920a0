import { LifeboatError, messageOf } from '../../domain/errors.ts';
import type { ExactLoss } from '../../domain/failover/loss.ts';
import { formatLsn, lsnOf, type Lsn } from '../../domain/lsn.ts';
import type { Operation } from '../../domain/operation.ts';
import { inspectHost, type HostState } from '../host/inspect-host.ts';
import { howItEnded, startOnHost } from '../host/run-on-host.ts';
import type { PostgresNode } from './node.ts';
import { readWalLines, type WalRecord } from './wal-lines.ts';

export interface MeasureLoss {
  /** Stopped: its WAL must have an end. */
  readonly old: PostgresNode;
  /** Where the new primary left the old timeline: `Promotion.forkLsn`. */
  readonly forkLsn: string;
  /** The timeline that was left. */
  readonly timeline: number;
  /** Reads the copy that was saved under this epoch, and not the server's own WAL. */
  readonly savedUnder?: number;
}

const PROGRESS_RECORDS = 10_000;

/**
 * Counts what only the old primary has, from its WAL: bytes and commits behind the fork. Changes nothing, and holds no more than a
 * record. It begins at a record that is surely there, the last checkpoint or the fork, so that nothing lost and nothing readable
 * cannot be taken for each other.
 * @throws LifeboatError FAILOVER_LOSS_UNKNOWN, FAILOVER_NOT_STOPPED, FAILOVER_COMMAND_FAILED, TOOL_MISSING
 */
export async function measureLoss(request: MeasureLoss, operation: Operation): Promise<ExactLoss> {
  const { old, timeline } = request;
  const doing = `count what only ${old.name} has`;
  const state = await inspectHost(old, operation.signal);
  if (state.running) throw new LifeboatError('FAILOVER_NOT_STOPPED', `${doing}: it runs`);
  if (state.timeline !== timeline) {
    throw unknown(doing, `it is on timeline ${state.timeline}, and was left on ${timeline}`);
  }
  const fork = lsnOf(request.forkLsn);
  const start = firstNeeded(state, fork);
  const savedAs = request.savedUnder === undefined ? [] : [String(request.savedUnder)];
  const counted = await count({ old, doing, start, fork, state, savedAs, operation });
  if (counted.end < fork)
    throw unknown(doing, `its wal ends at ${formatLsn(counted.end)}, before the fork at ${request.forkLsn}`);
  const { first, last, transactions, end } = counted;
  return {
    kind: 'exact',
    bytes: Number(end - fork),
    transactions,
    seconds: first === null || last === null ? 0 : (Date.parse(last) - Date.parse(first)) / 1_000,
    forkLsn: request.forkLsn,
    endLsn: formatLsn(end),
    firstCommitAt: first,
    lastCommitAt: last,
  };
}

/** A record that is surely there: the one of the last checkpoint, or the first behind the fork. */
function firstNeeded({ checkpointLsn }: HostState, fork: Lsn): Lsn {
  return lsnOf(checkpointLsn) < fork ? lsnOf(checkpointLsn) : fork;
}

interface Counted {
  end: Lsn;
  transactions: number;
  first: string | null;
  last: string | null;
}

async function count(context: {
  readonly old: PostgresNode;
  readonly doing: string;
  readonly start: Lsn;
  readonly fork: Lsn;
  readonly state: HostState;
  readonly savedAs: readonly string[];
  readonly operation: Operation;
}): Promise<Counted> {
  const { old, doing, start, fork, state, savedAs, operation } = context;
  const words = [String(state.timeline), formatLsn(start), ...savedAs];
  const child = startOnHost({ doing, host: old.host, verb: 'read-wal', words, signal: operation.signal });
  const counted: Counted = { end: 0n, transactions: 0, first: null, last: null };
  let records = 0;
  try {
    for await (const record of readWalLines(child.stdout, state.segmentBytes)) {
      add(counted, record, fork);
      records += 1;
      if (records % PROGRESS_RECORDS > 0) continue;
      operation.onProgress({
        phase: doing,
        object: formatLsn(record.end),
        bytes: Number(record.end - start),
        items: counted.transactions,
      });
    }
    // The end of a WAL is where no record is any more: pg_waldump calls that an error, and it is the usual one.
    const exit = await child.exited;
    operation.signal.throwIfAborted();
    if (exit.code === null) throw unknown(doing, howItEnded(exit));
    if (records === 0) throw unknown(doing, `no record at ${formatLsn(start)}: ${howItEnded(exit)}`);
    return counted;
  } catch (error) {
    operation.signal.throwIfAborted();
    if (error instanceof LifeboatError) throw error;
    // The bound of the host program ends the child, and with it the reading.
    throw unknown(doing, messageOf(error), error);
  } finally {
    await child.end();
  }
}

function add(counted: Counted, { start, end, committedAt }: WalRecord, fork: Lsn): void {
  counted.end = end;
  if (start < fork || committedAt === null) return;
  counted.transactions += 1;
  counted.first ??= committedAt;
  counted.last = committedAt;
}

function unknown(doing: string, what: string, cause?: unknown): LifeboatError {
  return new LifeboatError('FAILOVER_LOSS_UNKNOWN', `${doing}: ${what}`, { cause });
}
