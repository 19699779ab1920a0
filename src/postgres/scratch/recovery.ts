import { setTimeout as delay } from 'node:timers/promises';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { withMaintenance } from '../connection/maintenance.ts';
import type { Session } from '../connection/session.ts';
import { parseLsn } from '../physical/wal-position.ts';
import type { PostgresTarget } from '../postgres.ts';
import type { Recovered, Recovery } from './scratch.ts';
import type { ScratchServer } from './scratch-server.ts';

interface Watch {
  readonly target: PostgresTarget;
  readonly operation: Operation;
}

interface State {
  readonly recovering: boolean;
  readonly paused: boolean;
  readonly lsn: string | null;
  readonly lastCommitAt: Date | null;
  readonly timeline: number;
}

/** How far replay is, while it is. A server out of recovery refuses half of these questions. */
const IN_RECOVERY = `
  SELECT true AS recovering, pg_get_wal_replay_pause_state() = 'paused' AS paused, pg_last_wal_replay_lsn()::text AS lsn,
    pg_last_xact_replay_timestamp() AS "lastCommitAt",
    greatest((SELECT timeline_id FROM pg_control_checkpoint()), (SELECT min_recovery_end_timeline FROM pg_control_recovery())) AS timeline`;
const PROMOTED = `
  SELECT false AS recovering, false AS paused, pg_last_wal_replay_lsn()::text AS lsn, pg_last_xact_replay_timestamp() AS "lastCommitAt",
    ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS timeline`;

const POLL_MS = 100;
/** object_not_in_prerequisite_state: recovery ended between two statements. */
const NO_LONGER_IN_RECOVERY = '55000';
/** invalid_parameter_value, in the log: the source raised a setting that replay needs at least as high here. */
const SETTING_TOO_LOW = '22023';

/** Bounded by the server's life and the operation's signal: how long replay takes depends on how much there is. */
export async function awaitRecovery(
  server: ScratchServer,
  watch: Watch & { readonly recovery: Recovery },
): Promise<Recovered> {
  const { operation, recovery } = watch;
  return asking(server, watch, async (session) => {
    const first = await readState(session);
    for (let state = first; ; state = await readState(session)) {
      if (!state.recovering) return summarise(state);
      if (state.paused) {
        if (server.log.has(SETTING_TOO_LOW) || isBefore(state, recovery)) throw server.failure('replay stopped early');
        if (recovery.action === 'pause') return summarise(state);
      }
      report(operation, state, first);
      await delay(POLL_MS, undefined, { signal: operation.signal });
    }
  });
}

/** Promotion writes a checkpoint; on a slow disk that takes a while. */
const PROMOTION_LIMIT_SECONDS = 300;

export async function promote(server: ScratchServer, watch: Watch): Promise<Recovered> {
  return asking(server, watch, async (session) => {
    const before = await readState(session);
    if (!before.recovering) return summarise(before);
    const { done } = await session.one<{ done: boolean }>(
      `SELECT pg_promote(true, ${PROMOTION_LIMIT_SECONDS}) AS done`,
    );
    if (!done) throw server.failure(`not promoted within ${PROMOTION_LIMIT_SECONDS} seconds`);
    return summarise(await readState(session));
  });
}

async function asking<T>(server: ScratchServer, watch: Watch, ask: (session: Session) => Promise<T>): Promise<T> {
  const { target, operation } = watch;
  const request = { doing: 'watch the recovery', about: [], signal: operation.signal };
  try {
    return await withMaintenance(target, request, ask);
  } catch (error) {
    operation.signal.throwIfAborted();
    if (!(error instanceof LifeboatError) || error.code === 'POSTGRES_SCRATCH_FAILED') throw error;
    // A server that ends takes its connections with it a moment before it is gone itself.
    await Promise.race([server.child.exited, delay(LAST_WORDS_MS)]);
    throw server.ended() ? server.failure('it ended') : error;
  }
}

const LAST_WORDS_MS = 2_000;

async function readState(session: Session): Promise<State> {
  const { recovering } = await session.one<{ recovering: boolean }>('SELECT pg_is_in_recovery() AS recovering');
  if (!recovering) return session.one<State & Record<string, unknown>>(PROMOTED);
  try {
    return await session.one<State & Record<string, unknown>>(IN_RECOVERY);
  } catch (error) {
    if (!(error instanceof LifeboatError) || error.details['sqlstate'] !== NO_LONGER_IN_RECOVERY) throw error;
    return session.one<State & Record<string, unknown>>(PROMOTED);
  }
}

/** Where a target is inclusive, the record that starts there must have been replayed. */
function isBefore({ lsn }: State, { target }: Recovery): boolean {
  if (typeof target !== 'object' || !target.inclusive || lsn === null) return false;
  return parseLsn(lsn) <= parseLsn(target.lsn);
}

function summarise({ lsn, lastCommitAt, timeline, recovering }: State): Recovered {
  return {
    lsn: lsn ?? '0/0',
    lastCommitAt: lastCommitAt?.toISOString() ?? null,
    timeline,
    paused: recovering,
  };
}

function report(operation: Operation, { lsn }: State, first: State): void {
  if (lsn === null) return;
  const bytes = Number(parseLsn(lsn) - parseLsn(first.lsn ?? lsn));
  operation.onProgress({ phase: 'replaying', object: lsn, bytes });
}
