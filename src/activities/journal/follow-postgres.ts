import type { FollowEnd } from '../../contract/journal.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { JournalDurable, JournalEpoch, JournalGap } from '../../domain/journal.ts';
import type { Operation } from '../../domain/operation.ts';
import type { WalEvent, WalIdentity } from '../../postgres/wal/wal.ts';
import type { Dependencies } from '../dependencies.ts';
import { configured } from '../sources.ts';
import { latestEpoch, newestBase, startGap } from './journal-start.ts';
import { knownPast } from './known-past.ts';
import { openGap, type OpenGap } from './open-gap.ts';
import { recordJournal } from './journal-record.ts';
import type { JournalRecord } from './journal-record.ts';

/** Pieces of a catching-up journal are named together this often: a commit per segment would cost more than the segment. */
const COMMIT_INTERVAL_MS = 1_000;

export interface FollowLimits {
  /** Ends clean once all before this LSN is durable. */
  readonly until?: string;
  /** The slot that keeps WAL for us; null to catch up without one. */
  readonly slot: string | null;
  /** Milliseconds since 1970: another activity goes on from here. */
  readonly deadlineMs: number;
  /** An attempt before this one was lost: perhaps after it began anew, and before it could say that a base is needed. */
  readonly resumed?: boolean;
}

interface WalStart {
  readonly from: JournalDurable;
  readonly continues: { readonly history: string; readonly epoch: number } | null;
  readonly gap: JournalGap | null;
  /** Of an earlier attempt, which nobody has closed. */
  readonly open?: OpenGap | null;
  /** See ReceiveWal.expect. */
  readonly past?: Awaited<ReturnType<typeof knownPast>>;
}

/**
 * Follows a server's WAL into the repository. It goes on from the newest durable position; where the server cannot give that any
 * more, it begins anew with a named gap. The server is told what is durable, never more.
 */
export async function followPostgresWal(
  deps: Dependencies,
  limits: FollowLimits,
  operation: Operation,
): Promise<FollowEnd> {
  const { target } = configured(deps.settings, 'postgres');
  const identity = await deps.wal.identify(target);
  const start = await continuation(deps, { identity, limits }, operation);
  try {
    return await follow(deps, { identity, start, limits }, operation);
  } catch (error) {
    const broken = brokenHistory(error);
    if (broken === undefined || limits.slot === null) throw error;
    const anew = await beginAnew(deps, { identity, limits, broken });
    return follow(deps, { identity, start: anew, limits }, operation);
  }
}

/** The newest epoch of this very server, or the position that its slot keeps. */
async function continuation(
  deps: Dependencies,
  { identity, limits }: Pick<Following, 'identity' | 'limits'>,
  operation: Operation,
): Promise<WalStart> {
  const slotStart = await keepSlot(deps, limits);
  const last = await latestEpoch(deps, 'postgres');
  if (last !== undefined && last.begin.history === identity.systemIdentifier) {
    const { history, epoch } = last.begin;
    const open = isDue(last, limits) ? await openGap(deps, 'postgres', operation) : null;
    const past = await knownPast(deps, last, identity.walSegmentBytes, operation);
    return { from: last.durable, continues: { history, epoch }, gap: null, open, past };
  }
  if (last === undefined) return { from: await firstPosition(deps, identity, slotStart), continues: null, gap: null };
  const from = { timeline: identity.timeline, at: slotStart ?? identity.lsn, timeMs: Date.now() };
  const gap = startGap(last, {
    code: 'JOURNAL_HISTORY_MISMATCH',
    message: `another cluster (system identifier ${identity.systemIdentifier}) stands at this address`,
    to: { ...from, history: identity.systemIdentifier },
  });
  return { from, continues: null, gap };
}

/** The base that an attempt asked for is given this time before it is asked for again. */
const BASE_ASKED_AGAIN_MS = 60_000;

function isDue({ begin }: JournalEpoch, { resumed = false }: FollowLimits): boolean {
  return resumed || Date.now() - Date.parse(begin.startedAt) > BASE_ASKED_AGAIN_MS;
}

/** Where the newest base of this server ends, so that it can be restored to any second at once; else what the slot keeps. */
async function firstPosition(
  deps: Dependencies,
  { systemIdentifier, timeline, lsn }: WalIdentity,
  slotStart: string | undefined,
): Promise<JournalDurable> {
  const base = (await newestBase(deps, systemIdentifier))?.base;
  if (base === undefined || base.timeline !== timeline) return { timeline, at: slotStart ?? lsn, timeMs: Date.now() };
  return { timeline, at: base.endLsn, timeMs: Date.parse(base.endAt) };
}

async function beginAnew(
  deps: Dependencies,
  facts: { readonly identity: WalIdentity; readonly limits: FollowLimits; readonly broken: LifeboatError },
): Promise<WalStart> {
  const { identity, limits, broken } = facts;
  const slotStart = await keepSlot(deps, limits);
  const last = await latestEpoch(deps, 'postgres');
  const from = { timeline: identity.timeline, at: slotStart ?? identity.lsn, timeMs: Date.now() };
  const to = { ...from, history: identity.systemIdentifier };
  const { code, message } = broken;
  // The first journal of a server joins its newest base: where the WAL in between is gone, what comes now stands on nothing.
  const gap =
    last === undefined
      ? { kind: 'postgres' as const, from: null, to, code, message }
      : startGap(last, { code, message, to });
  return { from, continues: null, gap };
}

/** Makes the slot, or makes a lost one again; gives the position it keeps. */
async function keepSlot(deps: Dependencies, { slot }: FollowLimits): Promise<string | undefined> {
  if (slot === null) return undefined;
  const { target } = configured(deps.settings, 'postgres');
  const state = await deps.wal.slot(target, slot);
  if (state.walStatus === 'lost') await deps.wal.dropSlot(target, slot);
  const kept = state.exists && state.walStatus !== 'lost' ? state : await deps.wal.createSlot(target, slot);
  return kept.restartLsn ?? undefined;
}

/** Errors after which the server has no way back to the last durable position. */
function brokenHistory(error: unknown): LifeboatError | undefined {
  const codes: readonly string[] = ['JOURNAL_WAL_REMOVED', 'JOURNAL_SLOT_LOST', 'JOURNAL_HISTORY_MISMATCH'];
  return error instanceof LifeboatError && codes.includes(error.code) ? error : undefined;
}

interface Following {
  readonly identity: WalIdentity;
  readonly start: WalStart;
  readonly limits: FollowLimits;
}

async function follow(deps: Dependencies, following: Following, operation: Operation): Promise<FollowEnd> {
  const { target } = configured(deps.settings, 'postgres');
  const { identity, start, limits } = following;
  const { systemIdentifier } = identity;
  const { from } = start;
  const reception = deps.wal.receive(
    {
      target,
      slot: limits.slot,
      from: { timeline: from.timeline, lsn: from.at },
      flushMs: deps.settings.journal.flushMs,
      expect: { systemIdentifier, ...start.past },
      ...(limits.until === undefined ? {} : { until: limits.until }),
    },
    operation,
  );
  let record: JournalRecord | undefined;
  let needed = start.gap ? { code: start.gap.code, message: start.gap.message } : (start.open ?? null);
  let waiting: JournalDurable | undefined;
  let committedMs = Date.now();
  const commit = async (): Promise<void> => {
    if (record === undefined || waiting === undefined) return;
    await record.commit(waiting);
    reception.confirm(waiting.at);
    waiting = undefined;
    committedMs = Date.now();
  };
  for await (const event of reception) {
    // Only now is it known that the server can give what follows: an epoch is not begun before.
    record ??= await openEpoch(deps, following, operation);
    if (event.event === 'timeline') {
      const message = `timeline ${event.from} went on as ${event.to} at ${event.lsn}`;
      needed = { code: 'JOURNAL_TIMELINE_CHANGED', message };
      await commit();
      continue;
    }
    waiting = (await take(record, event)) ?? waiting;
    // Whole segments come one after the other only when much is behind: they are named together.
    const behind = event.event === 'piece' && event.segment && Date.now() - committedMs < COMMIT_INTERVAL_MS;
    if (behind || event.event === 'history') continue;
    await commit();
    if (needed !== null) return { end: 'new-base-needed', ...needed };
    if (committedMs >= limits.deadlineMs) break;
  }
  await commit();
  return { end: 'handed-over' };
}

/** Stores what an event brings; gives what is durable once it is committed, undefined where nothing moved. */
async function take(
  record: JournalRecord,
  event: Exclude<WalEvent, { event: 'timeline' }>,
): Promise<JournalDurable | undefined> {
  if (event.event === 'time') return { timeline: event.timeline, at: event.lsn, timeMs: event.timeMs };
  if (event.event === 'history') {
    const { timeline, content, timeMs } = event;
    await record.put({ kind: 'history', timeline, from: '', to: '', fromMs: timeMs, toMs: timeMs }, content);
    return undefined;
  }
  const { timeline, from, to, fromMs, toMs, segment, bytes } = event;
  await record.put({ kind: segment ? 'segment' : 'piece', timeline, from, to, fromMs, toMs }, bytes);
  return { timeline, at: to, timeMs: toMs };
}

async function openEpoch(
  deps: Dependencies,
  { identity, start }: Following,
  operation: Operation,
): Promise<JournalRecord> {
  const { target } = configured(deps.settings, 'postgres');
  const { from, continues, gap } = start;
  const repository = await deps.repository();
  const writer = await repository.journals.open({
    kind: 'postgres',
    history: identity.systemIdentifier,
    from,
    continues,
    gap,
    attributes: {
      walSegmentBytes: String(identity.walSegmentBytes),
      serverVersion: String(identity.serverVersion),
      database: target.database,
    },
    codec: deps.settings.codec,
    startedAt: new Date().toISOString(),
  });
  return recordJournal(writer, operation);
}
