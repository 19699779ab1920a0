import type { Dependencies } from '../activities/dependencies.ts';
import { readDrills } from '../activities/drill/read-drills.ts';
import { readTargets } from '../activities/read-targets.ts';
import { readJournalStatus } from '../client/journal-status.ts';
import type { JournalFacts } from '../contract/journal-facts.ts';
import type { WorkerRole } from '../contract/names.ts';
import { drillState } from '../domain/drill/drill-state.ts';
import { planStateOf } from '../domain/plan/plan-state.ts';
import type { WorkerPhase } from '../domain/readiness.ts';
import { measureJournalStates } from '../monitoring/measure/journals.ts';
import { createOperationMeter } from '../monitoring/measure/operations.ts';
import { measureDrills, measurePlans } from '../monitoring/measure/proof.ts';
import { measureTargets } from '../monitoring/measure/targets.ts';
import type { Sample, Source } from '../monitoring/sample.ts';
import type { SdkMetrics } from '../temporal/sdk-metrics.ts';
import { sampleDatabases } from './sample-databases.ts';
import { sampleOperations } from './sample-operations.ts';
import { sampleRepository } from './sample-repository.ts';
import { type NamedStore, sampleStores } from './sample-stores.ts';
import { sampleTemporal } from './sample-temporal.ts';
import type { TemporalLooks } from './temporal-looks.ts';

/** Looks at what changes slowly, and costs many reads, are so much rarer. */
const SLOWER = 4;
/** Ended operations of so long ago say when one of their kind ended last; Temporal itself forgets them after its retention. */
const REMEMBERED_MS = 30 * 86_400_000;

export interface SourcesOptions {
  readonly deps: Dependencies;
  readonly temporal: TemporalLooks;
  readonly sdk: SdkMetrics;
  readonly stores: readonly NamedStore[];
  readonly roles: readonly WorkerRole[];
  readonly intervalMs: number;
  phase(): WorkerPhase;
}

/** What a worker looks at by itself: its own surroundings, and with the role `control` how the group is. */
export function createSources(options: SourcesOptions): readonly Source[] {
  const own = ownSources(options);
  return options.roles.includes('control') ? [...own, ...groupSources(options)] : own;
}

function ownSources({ deps, temporal, sdk, stores, intervalMs, phase }: SourcesOptions): Source[] {
  const { settings } = deps;
  const { group } = settings;
  const often = { everyMs: intervalMs, isCostly: false };
  return [
    { name: 'temporal', ...often, sample: (signal) => sampleTemporal({ temporal, group, phase }, signal) },
    { name: 'databases', ...often, sample: (signal) => sampleDatabases(settings, signal) },
    { name: 'stores', ...often, sample: () => sampleStores(stores) },
    { name: 'sdk', ...often, sample: async (signal) => ({ foreign: await sdk.read(signal) }) },
  ];
}

function groupSources({ deps, temporal, intervalMs }: SourcesOptions): Source[] {
  const { settings } = deps;
  const { group } = settings;
  const often = { everyMs: intervalMs, isCostly: false };
  const rarely = { everyMs: SLOWER * intervalMs, isCostly: true };
  const meter = createOperationMeter(REMEMBERED_MS, Date.now());
  let journals: readonly JournalFacts[] = [];
  return [
    {
      name: 'operations',
      ...often,
      sample: (signal) => temporal.use(signal, (client) => sampleOperations(client, group, meter)),
    },
    {
      name: 'repository',
      ...rarely,
      async sample(signal) {
        const found = await sampleRepository(deps, signal);
        journals = found.journals ?? [];
        return found;
      },
    },
    {
      name: 'journals',
      ...often,
      async sample(signal) {
        const status = await temporal.use(signal, (client) => readJournalStatus(client, group, journals));
        return { gauges: measureJournalStates(status) };
      },
    },
    { name: 'drills', ...rarely, sample: () => sampleDrills(deps) },
    { name: 'plans', ...rarely, sample: () => samplePlans(deps) },
    ...(deps.targets.length === 0 ? [] : [targetsSource(deps, rarely)]),
  ];
}

function targetsSource(deps: Dependencies, rarely: Pick<Source, 'everyMs' | 'isCostly'>): Source {
  return {
    name: 'targets',
    ...rarely,
    sample: async (signal) => ({
      gauges: measureTargets(await readTargets(deps, { signal, onProgress: () => undefined })),
    }),
  };
}

async function sampleDrills(deps: Dependencies): Promise<Sample> {
  const { everyMs } = deps.settings.drill;
  const { drills } = (await deps.hasRepository()) ? await readDrills(deps, undefined) : { drills: [] };
  return { gauges: measureDrills(drillState(drills, everyMs, Date.now())) };
}

/** Plans as they lie on this worker's host, and what the repository says of them. */
async function samplePlans(deps: Dependencies): Promise<Sample> {
  const records = (await deps.hasRepository()) ? (await deps.repository()).plans : null;
  const states = deps.plans.list().map(async (plan) => {
    const verification = (await records?.verificationOf(plan.id)) ?? null;
    return { id: plan.id, state: planStateOf(plan, verification) };
  });
  return { gauges: measurePlans(await Promise.all(states)) };
}
