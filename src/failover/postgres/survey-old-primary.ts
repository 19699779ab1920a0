import { LifeboatError, type ErrorCode } from '../../domain/errors.ts';
import type { ExactLoss } from '../../domain/failover/loss.ts';
import type { PostgresView } from '../../domain/failover/postgres-view.ts';
import { formatLsn } from '../../domain/lsn.ts';
import type { Operation } from '../../domain/operation.ts';
import { inspectHost } from '../host/inspect-host.ts';
import { measureLoss } from './measure-loss.ts';
import type { PostgresNode } from './node.ts';
import { observePostgres } from './observe.ts';

export interface OldPrimary {
  /** That it was left on, and where the new primary left it. */
  readonly timeline: number;
  readonly forkLsn: string;
  /** What only it has; null where it is on the new timeline already. */
  readonly missing: ExactLoss | null;
}

/**
 * What it takes to make a server that was primary a standby of the one that is. Changes nothing.
 * @throws LifeboatError FAILOVER_NOT_READY, FAILOVER_FOREIGN_STANDBY, FAILOVER_SPLIT_BRAIN (it runs as a primary), FAILOVER_NOT_FENCED,
 *   FAILOVER_LOSS_UNKNOWN, FAILOVER_COMMAND_FAILED
 */
export async function surveyOldPrimary(
  { old, primary }: { readonly old: PostgresNode; readonly primary: PostgresNode },
  operation: Operation,
): Promise<OldPrimary> {
  const { signal } = operation;
  const doing = `look at ${old.name}, which was primary`;
  const [view, state] = await Promise.all([observePostgres(primary, signal), inspectHost(old, signal)]);
  if (!view.answers) throw refusal('FAILOVER_NOT_READY', doing, `${primary.name} does not answer: ${view.reason}`);
  if (view.inRecovery) throw refusal('FAILOVER_NOT_READY', doing, `${primary.name} is a standby itself`);
  if (view.systemIdentifier !== state.systemIdentifier) {
    const what = `it is of ${state.systemIdentifier}, ${primary.name} of ${view.systemIdentifier}`;
    throw refusal('FAILOVER_FOREIGN_STANDBY', doing, what);
  }
  // The control file of a standby that runs names the timeline of its last restart point, which may be the old one for long.
  const at = state.running ? await timelineOfStandby({ old, doing, signal }) : state.timeline;
  const isBack = at === view.timeline;
  if (state.running && !isBack) {
    throw refusal('FAILOVER_NOT_READY', doing, `it runs as a standby on timeline ${at}, which was left: stop it first`);
  }
  if (!state.running && !state.fenced) {
    throw refusal('FAILOVER_NOT_FENCED', doing, 'a start would bring it back as a primary');
  }
  const { timeline, forkLsn } = forkOf(view, at, doing);
  return { timeline, forkLsn, missing: isBack ? null : await measureLoss({ old, timeline, forkLsn }, operation) };
}

/** A server that runs is never stopped on the way back: what it does there is for a person to find out. */
async function timelineOfStandby({
  old,
  doing,
  signal,
}: {
  readonly old: PostgresNode;
  readonly doing: string;
  readonly signal: AbortSignal;
}): Promise<number> {
  const view = await observePostgres(old, signal);
  if (!view.answers) throw refusal('FAILOVER_NOT_READY', doing, `it runs and does not answer: ${view.reason}`);
  if (view.inRecovery) return view.timeline;
  throw refusal('FAILOVER_SPLIT_BRAIN', doing, `it runs as a primary, at ${view.lsn}: stop and fence it first`);
}

function forkOf(view: PostgresView, at: number, doing: string): { timeline: number; forkLsn: string } {
  const past = view.history?.ancestors ?? [];
  const left = at === view.timeline ? past.at(-1) : past.find(({ timeline }) => timeline === at);
  if (left !== undefined) return { timeline: left.timeline, forkLsn: formatLsn(left.end) };
  const what = `its timeline ${at} is none that ${view.node} on timeline ${view.timeline} has left`;
  throw refusal('FAILOVER_FOREIGN_STANDBY', doing, what);
}

function refusal(code: ErrorCode, doing: string, what: string): LifeboatError {
  return new LifeboatError(code, `${doing}: ${what}`);
}
