import type { WorkerPhase } from '../domain/readiness.ts';
import { jsonPage, serve } from './endpoint.ts';
import { createExposition, TEXT_FORMAT } from './exposition.ts';
import { createWorkerHealth } from './health.ts';
import type { Reading, Source } from './sample.ts';
import { type LookResult, startSampling } from './sampling.ts';
import type { SourceName } from './source-names.ts';

/** Health and metrics of one worker, served while it runs. */
export interface Monitor {
  readonly port: number;
  phase(): WorkerPhase;
  /** `problem`: why it waits for Temporal. */
  enter(phase: WorkerPhase, problem?: string): void;
  close(): Promise<void>;
}

export interface MonitorOptions {
  readonly host: string;
  readonly port: number;
  readonly group: string;
  readonly roles: readonly string[];
  /** Of Lifeboat, as in manifests. */
  readonly version: string;
  /** Objectives of the configuration, seconds. */
  readonly objectives: Readonly<Record<string, number>>;
  /** Made from the monitor's own phase, which one of them tells. */
  sources(phase: () => WorkerPhase): readonly Source[];
  /** Told when a source begins to fail, or to fail otherwise, and when it is well again. */
  onChange(source: SourceName, error: LookResult['error']): void;
}

/**
 * Listens first, so that a port that is taken is said before anything else begins; then looks at the sources.
 * @throws LifeboatError MONITORING_PORT_IN_USE, MONITORING_NOT_LISTENING
 */
export async function openMonitor(options: MonitorOptions): Promise<Monitor> {
  const { group, roles } = options;
  const health = createWorkerHealth(group, roles);
  const exposition = createExposition(group);
  exposition.apply('always', { gauges: constants(options) });
  let results: ReadonlyMap<SourceName, LookResult> = new Map();
  const pages = {
    '/healthz': () => jsonPage(200, health.liveness()),
    '/readyz': () => {
      const report = health.readiness(results);
      return jsonPage(report.ready ? 200 : 503, report);
    },
    '/metrics': async () => ({ status: 200, type: TEXT_FORMAT, body: await exposition.text() }),
  };
  const endpoint = await serve(pages, options);
  const sources = options.sources(health.phase);
  const sampling = startSampling({ sources, exposition, onChange: options.onChange });
  ({ results } = sampling);
  return {
    port: endpoint.port,
    phase: health.phase,
    enter: health.enter,
    async close() {
      await sampling.end();
      await endpoint.close();
    },
  };
}

function constants({ version, roles, objectives }: MonitorOptions): readonly Reading[] {
  return [
    { metric: 'lifeboat_worker_info', labels: { version, roles: roles.join(',') }, value: 1 },
    ...Object.entries(objectives).map(([objective, value]): Reading => ({
      metric: 'lifeboat_objective_seconds',
      labels: { objective },
      value,
    })),
  ];
}
