import type { CatalogInput, CatalogResult } from '../contract/messages.ts';
import type { ReplicateInput, ReplicateResult } from '../contract/replication.ts';
import { copyWorkflowId, WORKFLOWS } from '../contract/names.ts';
import { LifeboatError, toLifeboatError } from '../domain/errors.ts';
import { isFailing, type TargetFacts } from '../domain/target-facts.ts';
import { ask, type Question } from './ask.ts';
import type { ManagerContext } from './backup-manager.ts';
import { type CopyRun, listCopyRuns } from './copy-runs.ts';
import { attachOperation, startOperation, type StartedOperation } from './operation.ts';

export interface TargetStatus extends Omit<TargetFacts, 'state'> {
  /** As found, or `copying` where a run brings what is missing. */
  readonly state: TargetFacts['state'] | 'copying';
  /** Ids of the runs that copy to it, or wait until they may. */
  readonly runs: readonly string[];
}

export interface ReplicationMetrics {
  readonly targets: number;
  readonly inSync: number;
  /** Backups that some target does not have, summed over the targets that could be asked. */
  readonly pending: number;
  /** Of the target that is furthest behind, seconds; null where no target could be asked. */
  readonly maxLagSeconds: number | null;
  /** Of the journals at the target that is furthest behind, seconds of the databases' time; null where there are none. */
  readonly maxJournalLagSeconds: number | null;
  /** Stored bytes of the journals that some target does not have, summed over the targets that could be asked. */
  readonly journalBytesBehind: number;
  /** Names of the targets that could not be asked or compared, or that hold something else. */
  readonly failing: readonly string[];
}

/** What came of a target that was synchronised. */
export type SyncOutcome =
  | (ReplicateResult & { readonly error: null })
  | { readonly target: string; readonly error: LifeboatError };

/** Copies in other places. All reject with a LifeboatError. */
export interface CrossRegionManager {
  getTargetsStatus(): Promise<readonly TargetStatus[]>;
  getMetrics(): Promise<ReplicationMetrics>;
  /** Starts to copy all that a target lacks and to read back all that it has; joins the run that does so already. */
  startSync(target: string): Promise<StartedOperation<ReplicateResult>>;
  /** Does that for every target at once and waits; a target that fails is an outcome, and holds up no other. */
  forceSyncToAllTargets(): Promise<readonly SyncOutcome[]>;
}

export function createCrossRegionManager(context: ManagerContext): CrossRegionManager {
  const getTargetsStatus = async (): Promise<readonly TargetStatus[]> => {
    const { targets = [] } = await askTargets(context);
    const runs = await listCopyRuns(context.client, context.group);
    return targets.map((facts) =>
      joinRuns(
        facts,
        runs.filter(({ target }) => target === facts.name),
      ),
    );
  };
  const startSync = async (target: string): Promise<StartedOperation<ReplicateResult>> => startTarget(context, target);
  return {
    getTargetsStatus,
    getMetrics: async () => metricsOf(await getTargetsStatus()),
    startSync,
    async forceSyncToAllTargets() {
      const { targets = [] } = await askTargets(context);
      return Promise.all(targets.map(async ({ name }) => settle(name, startSync(name))));
    },
  };
}

async function settle(target: string, starting: Promise<StartedOperation<ReplicateResult>>): Promise<SyncOutcome> {
  try {
    return { ...(await (await starting).result()), error: null };
  } catch (error) {
    return { target, error: toLifeboatError(error) };
  }
}

async function askTargets(context: ManagerContext): Promise<CatalogResult> {
  const question: Question<CatalogInput> = { ask: 'targets' };
  return ask(context, { workflow: WORKFLOWS.catalog, beside: 'catalog', summary: 'look at the targets', question });
}

async function startTarget(
  { client, group, requestedBy }: ManagerContext,
  target: string,
): Promise<StartedOperation<ReplicateResult>> {
  const input: ReplicateInput = {
    group,
    requestedBy,
    target,
    backup: 'all',
    delayMs: 0,
    verify: true,
    patient: false,
  };
  const workflowId = copyWorkflowId(group, target, 'all');
  try {
    const summary = `copy of all backups to ${target}, asked for by ${requestedBy}`;
    const start = { workflow: WORKFLOWS.replicate, workflowId, group, kind: 'copy', summary, requestedBy, input };
    return await startOperation<ReplicateResult>(client, start);
  } catch (error) {
    if (!(error instanceof LifeboatError && error.code === 'GROUP_BUSY')) throw error;
    return attachOperation<ReplicateResult>(client, workflowId);
  }
}

function joinRuns(facts: TargetFacts, runs: readonly CopyRun[]): TargetStatus {
  const isMissing = facts.state === 'behind' || facts.state === 'unused';
  const isCopying = isMissing && runs.some(({ isRunning }) => isRunning);
  const failure = runs.find(({ lastFailure }) => lastFailure !== null)?.lastFailure ?? null;
  return {
    ...facts,
    state: isCopying ? 'copying' : facts.state,
    lastError: facts.lastError ?? failure,
    runs: runs.map(({ workflowId }) => workflowId),
  };
}

function metricsOf(targets: readonly TargetStatus[]): ReplicationMetrics {
  const lags = targets.map(({ lagSeconds }) => lagSeconds).filter((lag) => lag !== null);
  const journals = targets.map((target) => target.journals ?? null).filter((facts) => facts !== null);
  const journalLags = journals.map(({ lagSeconds }) => lagSeconds).filter((lag) => lag !== null);
  return {
    targets: targets.length,
    inSync: targets.filter(({ state }) => state === 'in-sync').length,
    pending: targets.reduce((sum, { pending }) => sum + (pending ?? 0), 0),
    maxLagSeconds: lags.length === 0 ? null : Math.max(...lags),
    maxJournalLagSeconds: journalLags.length === 0 ? null : Math.max(...journalLags),
    journalBytesBehind: journals.reduce((sum, { bytesBehind }) => sum + bytesBehind, 0),
    failing: targets.filter(({ state }) => isFailing(state)).map(({ name }) => name),
  };
}
