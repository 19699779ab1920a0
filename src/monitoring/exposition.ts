import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { DURATION_BUCKETS, METRICS, type MetricName } from './metrics.ts';
import type { Reading, Sample } from './sample.ts';
import type { SourceName } from './source-names.ts';

/** The last values of every metric, as Prometheus reads them. */
export interface Exposition {
  /** Replaces the gauges of a source, and adds to its counters and histograms. */
  apply(source: SourceName | 'always', sample: Sample): void;
  /** Prometheus' text format. Looks at nothing but this process. */
  text(): Promise<string>;
}

/** The media type of `text()`. */
export const TEXT_FORMAT = 'text/plain; version=0.0.4; charset=utf-8';

export function createExposition(group: string): Exposition {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const metrics = new Map(namesOf().map((name) => [name, create(name, registry)]));
  let foreign = '';
  const one = <T>(name: MetricName, type: new (...given: never[]) => T): T => {
    const metric = metrics.get(name);
    if (metric instanceof type) return metric;
    throw new TypeError(`${name} is no ${type.name}`);
  };
  const labelled = ({ labels = {} }: Reading): Record<string, string> => ({ group, ...labels });
  return {
    apply(source, { gauges, counts = [], durations = [], ...sample }) {
      if (gauges !== undefined && source !== 'always')
        for (const name of namesOf()) if (METRICS[name].source === source) resetGauge(metrics.get(name));
      for (const reading of gauges ?? []) one(reading.metric, Gauge).set(labelled(reading), reading.value);
      for (const reading of counts) one(reading.metric, Counter).inc(labelled(reading), reading.value);
      for (const reading of durations) one(reading.metric, Histogram).observe(labelled(reading), reading.value);
      if (sample.foreign !== undefined) ({ foreign } = sample);
    },
    text: async () => `${await registry.metrics()}${foreign}`,
  };
}

function namesOf(): readonly MetricName[] {
  return Object.keys(METRICS) as MetricName[];
}

/** A counter that went back to nothing would look like a worker that began anew. */
function resetGauge(metric: unknown): void {
  if (metric instanceof Gauge) metric.reset();
}

function create(name: MetricName, registry: Registry): Gauge | Counter | Histogram {
  const { type, help, labels } = METRICS[name];
  const options = { name, help, labelNames: ['group', ...labels], registers: [registry] };
  if (type === 'counter') return new Counter(options);
  if (type === 'histogram') return new Histogram({ ...options, buckets: DURATION_BUCKETS });
  return new Gauge(options);
}
