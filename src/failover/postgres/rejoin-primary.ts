import { LifeboatError, type ErrorCode } from '../../domain/errors.ts';
import type { ExactLoss } from '../../domain/failover/loss.ts';
import { lsnOf } from '../../domain/lsn.ts';
import type { Operation } from '../../domain/operation.ts';
import { switchPoint } from '../../domain/timeline.ts';
import { inspectHost, type HostState } from '../host/inspect-host.ts';
import type { HostVerb } from '../host/host-program.ts';
import { runOnHost } from '../host/run-on-host.ts';
import type { Mandate } from '../epoch.ts';
import { awaitStreaming } from './await-streaming.ts';
import { measureLoss, type MeasureLoss } from './measure-loss.ts';
import type { PostgresNode } from './node.ts';
import { observePostgres } from './observe.ts';

export interface RejoinPrimary {
  /** Stopped and fenced: `fencePrimary`. */
  readonly old: PostgresNode;
  readonly primary: PostgresNode;
  /** `Promotion.forkLsn`, and the timeline that was left there. */
  readonly forkLsn: string;
  readonly timeline: number;
  /** Where replicas reach the new primary, and as whom. Its password is a matter of the host. */
  readonly source: { readonly host: string; readonly port: number; readonly user: string };
  /** Commits that somebody has given up, as `measureLoss` counted them; more is another question. */
  readonly givenUpTransactions?: number;
  readonly mandate: Mandate;
  readonly timeoutMs: number;
}

export interface PostgresRejoin {
  readonly node: string;
  /** `followed`: it had nothing of its own; `rewound`: what it had was saved and taken back; `there`: it was done before. */
  readonly way: 'followed' | 'rewound' | 'there';
  /** Of what was taken back; null where nothing was read now. */
  readonly loss: ExactLoss | null;
}

/**
 * Makes an old primary a standby of the new one: counts what only it has, saves that WAL and reads it back from the copy, rewinds,
 * and starts it only with standby.signal in place. It is done when the new primary sees it stream. Safe to repeat at every place.
 * @throws LifeboatError FAILOVER_REJOIN_BLOCKED (with the count), FAILOVER_SPLIT_BRAIN (it runs as a primary), FAILOVER_NOT_FENCED,
 *   FAILOVER_LOSS_UNKNOWN, FAILOVER_NOT_FOLLOWING, FAILOVER_FOREIGN_STANDBY, FAILOVER_COMMAND_FAILED, FAILOVER_EPOCH_STALE
 */
export async function rejoinPrimary(request: RejoinPrimary, operation: Operation): Promise<PostgresRejoin> {
  const { old, primary, source } = request;
  const doing = `make ${old.name} a standby of ${primary.name}`;
  const { signal } = operation;
  const state = await inspectHost(old, signal);
  await requireSameService(request, { state, doing, signal });
  if (state.running) {
    const view = await observePostgres(old, signal);
    if (!view.answers || view.inRecovery) return await arrive(request, 'there', operation);
    throw refusal('FAILOVER_SPLIT_BRAIN', doing, `it runs as a primary, at ${view.lsn}: stop and fence it first`);
  }
  if (!state.fenced) throw refusal('FAILOVER_NOT_FENCED', doing, 'a start would bring it back as a primary');

  // A rewind ends on the new timeline: there is nothing of its own any more.
  const loss = state.timeline === request.timeline ? await measureLoss(request, operation) : null;
  const rewinds = loss !== null && loss.bytes > 0;
  if (rewinds) await takeBack(request, { state, loss, doing, operation });
  const words = [source.host, String(source.port), source.user];
  await onHost(request, {
    doing: `point ${old.name} at ${primary.name}`,
    verb: 'follow',
    words: [...words, old.name],
    signal,
  });
  await onHost(request, { doing: `start ${old.name}`, verb: 'start', words: [], signal });
  return { ...(await arrive(request, rewinds ? 'rewound' : 'followed', operation)), loss };
}

async function arrive(
  { old, primary, timeoutMs }: RejoinPrimary,
  way: PostgresRejoin['way'],
  { signal }: Operation,
): Promise<PostgresRejoin> {
  await awaitStreaming({ primary, standby: old, timeoutMs, signal });
  return { node: old.name, way, loss: null };
}

/** The order is load-bearing: counted, given up, saved, read back from the copy, and only then taken back. */
async function takeBack(
  request: RejoinPrimary,
  context: {
    readonly state: HostState;
    readonly loss: ExactLoss;
    readonly doing: string;
    readonly operation: Operation;
  },
): Promise<void> {
  const { old, source, mandate, givenUpTransactions } = request;
  const { state, loss, doing, operation } = context;
  const count = `${loss.transactions} transactions in ${loss.bytes} bytes are on ${old.name} alone`;
  if (givenUpTransactions === undefined || givenUpTransactions < loss.transactions) {
    throw refusal('FAILOVER_REJOIN_BLOCKED', doing, `${count}, ${givenUpTransactions ?? 'none'} are given up`);
  }
  const { signal } = operation;
  const epoch = String(mandate.epoch);
  const saving = `save the wal of ${old.name}`;
  await onHost(request, { doing: saving, verb: 'save-wal', words: [hex8(state.timeline), epoch], signal });
  const copy: MeasureLoss = { ...request, savedUnder: mandate.epoch };
  const again = await measureLoss(copy, operation);
  if (again.endLsn !== loss.endLsn || again.transactions !== loss.transactions) {
    const what = `its copy has ${again.transactions} transactions up to ${again.endLsn}, and ${count}`;
    throw refusal('FAILOVER_LOSS_UNKNOWN', saving, what);
  }
  const words = [epoch, source.host, String(source.port), source.user];
  await onHost(request, { doing: `rewind ${old.name}`, verb: 'rewind', words, signal });
}

/** As names of segments begin. */
function hex8(timeline: number): string {
  return timeline.toString(16).toUpperCase().padStart(8, '0');
}

async function requireSameService(
  { primary, forkLsn, timeline }: RejoinPrimary,
  { state, doing, signal }: { readonly state: HostState; readonly doing: string; readonly signal: AbortSignal },
): Promise<void> {
  const view = await observePostgres(primary, signal);
  if (!view.answers) throw refusal('FAILOVER_NOT_READY', doing, `${primary.name} does not answer: ${view.reason}`);
  if (view.inRecovery) throw refusal('FAILOVER_NOT_READY', doing, `${primary.name} is a standby itself`);
  const fork = view.history === null ? undefined : switchPoint(view.history, timeline);
  const isPrimary = view.systemIdentifier === state.systemIdentifier && fork === lsnOf(forkLsn);
  if (isPrimary) return;
  const what = `${primary.name} is no server of ${state.systemIdentifier} that left timeline ${timeline} at ${forkLsn}`;
  throw refusal('FAILOVER_FOREIGN_STANDBY', doing, what);
}

async function onHost(
  { old, mandate }: RejoinPrimary,
  act: {
    readonly doing: string;
    readonly verb: HostVerb;
    readonly words: readonly string[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  await mandate.require(act.doing);
  await runOnHost({ ...act, host: old.host });
}

function refusal(code: ErrorCode, doing: string, what: string): LifeboatError {
  return new LifeboatError(code, `${doing}: ${what}`);
}
