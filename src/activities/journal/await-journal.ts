import { setTimeout as delay } from 'node:timers/promises';
import type { AwaitedJournal, DataActivities } from '../../contract/activities.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { JournalEpoch, JournalKind } from '../../domain/journal.ts';
import { compareLsn } from '../../domain/lsn.ts';
import type { Operation } from '../../domain/operation.ts';
import type { Dependencies } from '../dependencies.ts';
import { configured } from '../sources.ts';
import { followPostgresWal } from './follow-postgres.ts';
import { followRedisStream } from './follow-redis.ts';
import { latestEpoch } from './journal-start.ts';
import { lostInstant } from './open-gap.ts';

/** Between two looks at the repository. */
const LOOK_MS = 250;
/** A journal that follows commits at least this many times the flush interval: later it is taken for dead. */
const SILENT_FLUSHES = 2;
const SILENT_EXTRA_MS = 2_000;

type Wanted = Parameters<DataActivities['awaitJournal']>[0];

/**
 * Waits until all before `through` is durable. While another process follows the server that is a matter of seconds; where none
 * does, this one catches up. What is durable counts only where a base can be replayed to it.
 */
export async function awaitJournal(deps: Dependencies, wanted: Wanted, operation: Operation): Promise<AwaitedJournal> {
  const { kind, through } = wanted;
  for (;;) {
    const last = await latestEpoch(deps, kind);
    operation.onProgress({ phase: 'waiting', object: last?.durable.at ?? through, bytes: 0, items: Date.now() });
    if (last !== undefined && isThrough(last, wanted)) return ifReached(deps, wanted, operation);
    if (!(await isFollowed(deps, kind, last))) return catchUp(deps, wanted, operation);
    await delay(LOOK_MS, undefined, { signal: operation.signal });
  }
}

/** Redis is brought back by time, and an idle server reaches the position before the instant. */
function isThrough({ durable }: JournalEpoch, { kind, through, at }: Wanted): boolean {
  if (kind === 'postgres') return compareLsn(durable.at, through) >= 0;
  return Number(durable.at) >= Number(through) && (at === undefined || durable.timeMs >= Date.parse(at));
}

/** Does somebody follow the server now: a holder of the slot, or a journal that was written to a moment ago. */
async function isFollowed(deps: Dependencies, kind: JournalKind, last: JournalEpoch | undefined): Promise<boolean> {
  const { slot, flushMs } = deps.settings.journal;
  if (kind === 'postgres') {
    const { target } = configured(deps.settings, 'postgres');
    return (await deps.wal.slot(target, slot)).active;
  }
  return last !== undefined && Date.now() - last.durable.timeMs < SILENT_FLUSHES * flushMs + SILENT_EXTRA_MS;
}

/** A journal that began anew may hold the position while no base stands on that side of the gap, or only one behind it. */
async function ifReached(deps: Dependencies, { kind, at }: Wanted, operation: Operation): Promise<AwaitedJournal> {
  const gap = await lostInstant(deps, { kind, at }, operation);
  return gap === null ? { end: 'durable' } : { end: 'new-base-needed', message: gap.message };
}

async function catchUp(deps: Dependencies, wanted: Wanted, operation: Operation): Promise<AwaitedJournal> {
  const { kind, through, at } = wanted;
  const untilMs = at === undefined ? {} : { untilMs: Date.parse(at) };
  try {
    const end =
      kind === 'postgres'
        ? await followPostgresWal(deps, { slot: await ownSlot(deps), until: through, ...NO_DEADLINE }, operation)
        : await followRedisStream(deps, { until: Number(through), ...untilMs, ...NO_DEADLINE }, operation);
    return end.end === 'handed-over' ? await ifReached(deps, wanted, operation) : end;
  } catch (error) {
    const lost = ['JOURNAL_WAL_REMOVED', 'JOURNAL_SLOT_LOST', 'JOURNAL_HISTORY_MISMATCH'] as const;
    if (!(error instanceof LifeboatError) || !lost.some((code) => code === error.code)) throw error;
    return { end: 'new-base-needed', message: error.message };
  }
}

const NO_DEADLINE = { deadlineMs: Number.POSITIVE_INFINITY };

/** The slot where there is one. None is made for a single backup: nobody might ever release the WAL that it keeps. */
async function ownSlot(deps: Dependencies): Promise<string | null> {
  const { slot } = deps.settings.journal;
  const { target } = configured(deps.settings, 'postgres');
  return (await deps.wal.slot(target, slot)).exists ? slot : null;
}
