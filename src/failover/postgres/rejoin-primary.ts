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
  /** Copies the new primary instead of rewinding: after a rewind that failed, or where none is possible. The old directory stays. */
  readonly rebuild?: boolean;
  readonly mandate: Mandate;
  readonly timeoutMs: number;
}

export interface PostgresRejoin {
  readonly node: string;
  /** `followed`: it had nothing of its own; `rewound`, `rebuilt`: what it had was saved and taken back; `there`: it was done before. */
  readonly way: 'followed' | 'rewound' | 'rebuilt' | 'there';
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

  const loss = await takeBack(request, { state, doing, operation });
  const way = request.rebuild === true ? 'rebuilt' : 'rewound';
  const replaces = request.rebuild === true || (loss?.bytes ?? 0) > 0;
  const words = [source.host, String(source.port), source.user];
  if (replaces) {
    const verb = request.rebuild === true ? 'rebuild' : 'rewind';
    const more = [String(request.mandate.epoch), ...words];
    await onHost(request, { doing: `${verb} ${old.name}`, verb, words: more, signal });
  }
  const pointing = `point ${old.name} at ${primary.name}`;
  await onHost(request, { doing: pointing, verb: 'follow', words: [...words, old.name], signal });
  await onHost(request, { doing: `start ${old.name}`, verb: 'start', words: [], signal });
  return { ...(await arrive(request, replaces ? way : 'followed', operation)), loss };
}

async function arrive(
  { old, primary, timeoutMs }: RejoinPrimary,
  way: PostgresRejoin['way'],
  { signal }: Operation,
): Promise<PostgresRejoin> {
  await awaitStreaming({ primary, standby: old, timeoutMs, signal });
  return { node: old.name, way, loss: null };
}

interface Rejoining {
  readonly state: HostState;
  readonly doing: string;
  readonly operation: Operation;
}

/** Counted, given up, saved, and read back from the copy, in this order. null where it is on the new timeline: a rewind was done before. */
async function takeBack(request: RejoinPrimary, rejoining: Rejoining): Promise<ExactLoss | null> {
  const { old, mandate, givenUpTransactions } = request;
  const { state, doing, operation } = rejoining;
  if (state.timeline !== request.timeline) return null;
  const copy: MeasureLoss = { ...request, savedUnder: mandate.epoch };
  // Of a directory in which a rewind went wrong the copy from before is what can be read.
  const saved = request.rebuild === true ? await unlessUnknown(measureLoss(copy, operation)) : undefined;
  const loss = saved ?? (await measureLoss(request, operation));
  if (loss.bytes === 0) return loss;
  const count = `${loss.transactions} transactions in ${loss.bytes} bytes are on ${old.name} alone`;
  if (givenUpTransactions === undefined || givenUpTransactions < loss.transactions) {
    throw refusal('FAILOVER_REJOIN_BLOCKED', doing, `${count}, ${givenUpTransactions ?? 'none'} are given up`);
  }
  if (saved !== undefined) return saved;
  const saving = `save the wal of ${old.name}`;
  const words = [hex8(state.timeline), String(mandate.epoch)];
  await onHost(request, { doing: saving, verb: 'save-wal', words, signal: operation.signal });
  const again = await measureLoss(copy, operation);
  if (again.endLsn === loss.endLsn && again.transactions === loss.transactions) return loss;
  const what = `its copy has ${again.transactions} transactions up to ${again.endLsn}, and ${count}`;
  throw refusal('FAILOVER_LOSS_UNKNOWN', saving, what);
}

/** undefined where nothing was saved yet. */
async function unlessUnknown(loss: Promise<ExactLoss>): Promise<ExactLoss | undefined> {
  return loss.catch((error: unknown) => {
    if (error instanceof LifeboatError && error.code === 'FAILOVER_LOSS_UNKNOWN') return undefined;
    throw error;
  });
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
