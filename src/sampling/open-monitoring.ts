import { hostname } from 'node:os';
import { Runtime } from '@temporalio/worker';
import type { RuntimeOptions } from '@temporalio/worker';
import type { Dependencies } from '../activities/dependencies.ts';
import type { Config } from '../config/schema/config.ts';
import type { WorkerRole } from '../contract/names.ts';
import { durationMs } from '../domain/duration.ts';
import { type Monitor, openMonitor } from '../monitoring/monitor.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { WorkerLog } from '../temporal/log.ts';
import { installWithMetrics } from '../temporal/sdk-metrics.ts';
import type { NamedStore } from './sample-stores.ts';
import { createSources } from './sources.ts';
import { createTemporalLooks } from './temporal-looks.ts';

/** The part of a monitor that a worker tells where it stands. */
export type Watched = Pick<Monitor, 'enter' | 'close'>;

/** Of a worker that nobody watches. */
const UNWATCHED: Watched = { enter: () => undefined, close: async () => undefined };

export interface MonitoringOptions {
  readonly config: Config;
  readonly deps: Dependencies;
  readonly roles: readonly WorkerRole[];
  readonly version: string;
  readonly log: WorkerLog;
}

/**
 * Installs Temporal's runtime and, where `monitoring.port` is set, begins to serve health and metrics.
 * @throws LifeboatError MONITORING_PORT_IN_USE, MONITORING_NOT_LISTENING
 */
export async function openMonitoring(options: MonitoringOptions): Promise<Watched> {
  const { config, deps, roles, version, log } = options;
  const { group, monitoring } = config;
  const runtime: RuntimeOptions = { logger: log.forTemporal, shutdownSignals: [] };
  const { port, host } = monitoring;
  if (port === undefined) {
    Runtime.install(runtime);
    return UNWATCHED;
  }
  const sdk = await installWithMetrics(runtime, group);
  const temporal = createTemporalLooks(config.temporal, `lifeboat@${hostname()}:${process.pid}/monitoring`);
  const stores = namedStores(deps);
  const intervalMs = durationMs(monitoring.interval);
  const monitor = await openMonitor({
    host,
    port,
    group,
    roles,
    version,
    objectives: objectivesOf(config),
    sources: (phase) => createSources({ deps, temporal, sdk, stores, roles, intervalMs, phase }),
    onChange: (source, error) =>
      error === null
        ? log.info('metrics have their source again', { source })
        : log.warn('look at a source of metrics', { source, ...error }),
  });
  log.info('serving health and metrics', { host, port: monitor.port });
  return {
    enter: monitor.enter,
    async close() {
      await monitor.close();
      await temporal.close();
    },
  };
}

function namedStores({ primaryStore, targets }: Dependencies): readonly NamedStore[] {
  let primary: ObjectStore | undefined;
  return [{ name: 'repository', store: () => (primary ??= primaryStore()) }, ...targets];
}

function objectivesOf({ objectives }: Config): Record<string, number> {
  const { rpo, rto } = objectives;
  const set = { rpo, rto };
  return Object.fromEntries(
    Object.entries(set).flatMap(([name, value]) => (value === undefined ? [] : [[name, durationMs(value) / 1_000]])),
  );
}
