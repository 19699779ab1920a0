import type { DrillInput, DrillResult } from '../contract/drill.ts';
import type { CatalogInput, CatalogResult } from '../contract/messages.ts';
import { drillWorkflowId, WORKFLOWS } from '../contract/names.ts';
import type { DrillChoice, DrillsKnown } from '../domain/drill/drill.ts';
import { LifeboatError } from '../domain/errors.ts';
import { ask, type Question } from './ask.ts';
import type { ManagerContext } from './backup-manager.ts';
import { startOperation, type StartedOperation } from './operation.ts';

export interface DrillOptions {
  /** The point that is restored: the newest that can be had, unless one of the following says otherwise. */
  readonly point?: 'newest' | 'random';
  /** A backup id or `latest`: that backup, as it is. */
  readonly backup?: string;
  /** An instant in the recovery window. */
  readonly toTime?: Date;
  /** Takes a full backup first, and drills that one. */
  readonly backupFirst?: boolean;
  /** Target that the backup is read from, instead of the repository. */
  readonly fromTarget?: string;
}

/** Drills of one group: restores into a scratch place. All reject with a LifeboatError; GROUP_BUSY while another drill runs. */
export interface DrillManager {
  /** One drill; what it found is its result, whatever the verdict. */
  startDrill(options?: DrillOptions): Promise<StartedOperation<DrillResult>>;
  /** Restores the newest point into scratch servers, checks it, removes it; true where the verdict is `pass`. */
  testRecoveryProcedures(options?: DrillOptions): Promise<boolean>;
  /** Newest first; with an id (or `latest`) the whole report of that one. */
  readDrills(drillId?: string): Promise<DrillsKnown>;
}

export function createDrillManager(context: ManagerContext): DrillManager {
  const startDrill = async (options: DrillOptions = {}): Promise<StartedOperation<DrillResult>> =>
    start(context, options);
  return {
    startDrill,
    async testRecoveryProcedures(options) {
      const started = await startDrill(options);
      return (await started.result()).report.verdict === 'pass';
    },
    readDrills: async (drillId) => readDrills(context, drillId),
  };
}

async function start(
  { client, group, requestedBy }: ManagerContext,
  options: DrillOptions,
): Promise<StartedOperation<DrillResult>> {
  const { backupFirst = false, fromTarget } = options;
  const from = fromTarget === undefined ? {} : { fromTarget };
  const input: DrillInput = { group, requestedBy, choice: choiceOf(options), backupFirst, ...from };
  return startOperation(client, {
    workflow: WORKFLOWS.drill,
    workflowId: drillWorkflowId(group),
    kind: 'drill',
    summary: `drill, asked for by ${requestedBy}`,
    input,
    group,
    requestedBy,
  });
}

/** @throws LifeboatError USAGE_INVALID where two points are named */
function choiceOf({ point, backup, toTime, backupFirst = false }: DrillOptions): DrillChoice {
  const named = [point !== undefined, backup !== undefined || toTime !== undefined, backupFirst];
  if (named.filter(Boolean).length > 1) {
    throw new LifeboatError(
      'USAGE_INVALID',
      'a drill restores one point: the newest, a random one, a new backup, or the one that is named',
    );
  }
  if (backup === undefined && toTime === undefined) return { how: point ?? 'newest' };
  return { how: 'given', backup: backup ?? 'latest', to: toTime === undefined ? null : { time: toTime.toISOString() } };
}

async function readDrills(context: ManagerContext, drill: string | undefined): Promise<DrillsKnown> {
  const question: Question<CatalogInput> = { ask: 'drills', ...(drill === undefined ? {} : { drill }) };
  const summary = drill === undefined ? 'list drills' : `show ${drill}`;
  const asked = { workflow: WORKFLOWS.catalog, beside: 'catalog', summary, question } as const;
  const { drills } = await ask<CatalogResult>(context, asked);
  return drills ?? { drills: [], everyMs: null };
}
