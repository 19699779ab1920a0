import type { FollowEnd } from '../../contract/journal.ts';
import type { RedisFacts } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { JournalEpoch, JournalGap } from '../../domain/journal.ts';
import type { Operation } from '../../domain/operation.ts';
import type { StreamEvent, StreamPosition } from '../../redis/journal/journal.ts';
import { findReplica } from '../../redis/journal/source/find-replica.ts';
import type { RedisTarget } from '../../redis/redis.ts';
import type { Dependencies } from '../dependencies.ts';
import { configured } from '../sources.ts';
import { latestEpoch, newestSnapshot, startGap } from './journal-start.ts';
import { recordJournal } from './journal-record.ts';
import type { JournalRecord } from './journal-record.ts';
import { snapshotBackup } from './snapshot-backup.ts';

/** Bytes of stream that wait in a file while the store is slow. */
const SPILL_MAX_BYTES = 1024 ** 3;

export interface FollowRedisLimits {
  /** Ends clean once all before this offset is durable. */
  readonly until?: number;
  /** With `until`: see FollowStream. */
  readonly untilMs?: number;
  /** Milliseconds since 1970: another activity goes on from here. */
  readonly deadlineMs: number;
}

/**
 * Follows a server's replication stream into the repository, as a replica that acknowledges what is durable. Where the server
 * gives a snapshot instead of the stream, the snapshot becomes a backup and the stream begins anew behind it, with a named gap.
 */
export async function followRedisStream(
  deps: Dependencies,
  limits: FollowRedisLimits,
  operation: Operation,
): Promise<FollowEnd> {
  const target = await sourceOf(deps, operation);
  const { flushMs, spillDirectory } = deps.settings.journal;
  const last = await latestEpoch(deps, 'redis');
  const snapshot = snapshotBackup(deps, operation);
  const reception = deps.redisJournal.follow(
    {
      target,
      resume: last === undefined ? await firstPosition(deps) : resumePosition(last),
      flushMs,
      spill: { directory: spillDirectory, maxBytes: SPILL_MAX_BYTES },
      ...(limits.until === undefined ? {} : { until: limits.until }),
      ...(limits.untilMs === undefined ? {} : { untilMs: limits.untilMs }),
    },
    { sink: snapshot.sink, operation },
  );
  let record: JournalRecord | undefined;
  for await (const event of reception) {
    if (event.event === 'resynced') {
      await snapshot.publish(event.facts);
      record = await beginAfterSnapshot(deps, { event, last, facts: event.facts }, operation);
      continue;
    }
    if (event.event === 'continued') {
      record = await continueEpoch(deps, { event, last }, operation);
      continue;
    }
    if (record === undefined) throw new LifeboatError('INTERNAL', `redis journal: ${event.event} before its start`);
    const offset = await take(record, event);
    reception.confirm(offset);
    if (Date.now() >= limits.deadlineMs) break;
  }
  return { end: 'handed-over' };
}

/** Looked for at each attempt: when the replica that was followed is gone, another one or the server itself goes on. */
async function sourceOf(deps: Dependencies, operation: Operation): Promise<RedisTarget> {
  const { target, preferReplica } = configured(deps.settings, 'redis');
  return (preferReplica ? await findReplica(target, operation) : undefined) ?? target;
}

function resumePosition({ begin, durable, stream }: JournalEpoch): StreamPosition {
  const state = stream ?? { database: 0, insideMulti: false, unfinishedBytes: 0 };
  return { replid: begin.history, offset: Number(durable.at), state };
}

/** The stream behind the newest snapshot, where the server still has it: that saves another snapshot. */
async function firstPosition(deps: Dependencies): Promise<StreamPosition | null> {
  const newest = await newestSnapshot(deps);
  if (newest === undefined) return null;
  const { replid, offset } = newest;
  return { replid, offset, state: { database: 0, insideMulti: false, unfinishedBytes: 0 } };
}

async function take(record: JournalRecord, event: Extract<StreamEvent, { event: 'chunk' | 'time' }>): Promise<number> {
  if (event.event === 'time') {
    await record.commit({ timeline: 0, at: String(event.offset), timeMs: event.timeMs }, event.state);
    return event.offset;
  }
  const { from, to, fromMs, toMs, marks, state, bytes } = event;
  const facts = { kind: 'chunk', timeline: 0, from: String(from), to: String(to), fromMs, toMs, marks } as const;
  await record.put(facts, bytes);
  await record.commit({ timeline: 0, at: String(to), timeMs: toMs }, state);
  return to;
}

/** The stream goes on: in an epoch of its own, so that an older writer is fenced; under a new replid after a failover. */
async function continueEpoch(
  deps: Dependencies,
  facts: { readonly event: Extract<StreamEvent, { event: 'continued' }>; readonly last: JournalEpoch | undefined },
  operation: Operation,
): Promise<JournalRecord> {
  const { event, last } = facts;
  const from = { timeline: 0, at: String(event.offset), timeMs: last?.durable.timeMs ?? Date.now() };
  const continues = last === undefined ? null : { history: last.begin.history, epoch: last.begin.epoch };
  return openEpoch(deps, { history: event.replid, from, continues, gap: null }, operation);
}

async function beginAfterSnapshot(
  deps: Dependencies,
  begin: {
    readonly event: Extract<StreamEvent, { event: 'resynced' }>;
    readonly last: JournalEpoch | undefined;
    readonly facts: RedisFacts;
  },
  operation: Operation,
): Promise<JournalRecord> {
  const { event, last, facts } = begin;
  const from = { timeline: 0, at: String(facts.offset), timeMs: Date.parse(facts.snapshotAt) };
  const to = { ...from, history: facts.replid };
  const gap = last === undefined ? null : startGap(last, { code: 'JOURNAL_RESYNC', message: event.reason, to });
  return openEpoch(deps, { history: facts.replid, from, continues: null, gap }, operation);
}

async function openEpoch(
  deps: Dependencies,
  epoch: {
    readonly history: string;
    readonly from: JournalEpoch['begin']['from'];
    readonly continues: { readonly history: string; readonly epoch: number } | null;
    readonly gap: JournalGap | null;
  },
  operation: Operation,
): Promise<JournalRecord> {
  const repository = await deps.repository();
  const writer = await repository.journals.open({
    kind: 'redis',
    ...epoch,
    attributes: {},
    codec: deps.settings.codec,
    startedAt: new Date().toISOString(),
  });
  return recordJournal(writer, operation);
}
