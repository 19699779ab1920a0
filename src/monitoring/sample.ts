import type { MetricName } from './metrics.ts';
import type { SourceName } from './source-names.ts';

/** One value of one metric; its labels without `group`. */
export interface Reading {
  readonly metric: MetricName;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Whether something answers, as `/readyz` shows it. */
export interface Look {
  readonly what: 'temporal' | 'database' | 'store';
  readonly name: string;
  readonly up: boolean;
  /** Why it does not; never with a secret. Null where it does. */
  readonly problem: string | null;
}

/** What one look at a source gives. */
export interface Sample {
  /** All values of the gauges of the source: those that are not named are no longer there. */
  readonly gauges?: readonly Reading[];
  /** Added to counters. */
  readonly counts?: readonly Reading[];
  /** Put into histograms. */
  readonly durations?: readonly Reading[];
  readonly looks?: readonly Look[];
  /** Metrics of somebody else, in Prometheus' text format. */
  readonly foreign?: string;
}

/** Something that is looked at again and again. */
export interface Source {
  readonly name: SourceName;
  /** Between two looks, at least. */
  readonly everyMs: number;
  /** It reads much, rather than waiting for one answer: the slower it is, the rarer. */
  readonly isCostly: boolean;
  /** @throws LifeboatError where nothing could be told */
  sample(signal: AbortSignal): Promise<Sample>;
}

/** One reading for each name: 1 for the one that holds. */
export function oneOf(metric: MetricName, { label, names, is, labels = {} }: OneOf): Reading[] {
  return names.map((name) => ({ metric, labels: { ...labels, [label]: name }, value: name === is ? 1 : 0 }));
}

interface OneOf {
  readonly label: string;
  readonly names: readonly string[];
  readonly is: string;
  readonly labels?: Readonly<Record<string, string>>;
}

type Labels = Readonly<Record<string, string>>;

/** A reading where there is something to tell. */
export function known(metric: MetricName, value: number | null, labels: Labels = {}): Reading[] {
  return value === null ? [] : [{ metric, labels, value }];
}

/** An instant (ISO 8601) where there is one, as seconds since 1970. */
export function knownAt(metric: MetricName, instant: string | null, labels: Labels = {}): Reading[] {
  return instant === null ? [] : [{ metric, labels, value: Date.parse(instant) / 1_000 }];
}
