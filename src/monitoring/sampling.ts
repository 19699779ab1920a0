import { setTimeout as delay } from 'node:timers/promises';
import { LifeboatError, toLifeboatError } from '../domain/errors.ts';
import type { Exposition } from './exposition.ts';
import type { Look, Sample, Source } from './sample.ts';
import type { SourceName } from './source-names.ts';

/** A look that has not ended by then has failed; the next one waits until it has. */
const LOOK_LIMIT_MS = 60_000;
/** A costly source is looked at for at most a tenth of the time, however slow it is. */
const PAUSE_SHARE = 9;

/** How the last look at a source went. */
export interface LookResult {
  /** ISO 8601; null before the first look has ended. */
  readonly at: string | null;
  /** Null where it went well. */
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Of the last look that went well. */
  readonly looks: readonly Look[];
}

export interface Sampling {
  readonly results: ReadonlyMap<SourceName, LookResult>;
  /** Ends all looks, and waits a moment for those that run. */
  end(): Promise<void>;
}

interface SamplingOptions {
  readonly sources: readonly Source[];
  readonly exposition: Exposition;
  /** Told when a source begins to fail, and when it is well again; not of each look. */
  onChange(source: SourceName, error: LookResult['error']): void;
  /** Default: a minute. */
  readonly limitMs?: number;
}

/** Looks at every source by itself, again and again: one that is slow or away holds up no other. */
export function startSampling(options: SamplingOptions): Sampling {
  const results = new Map<SourceName, LookResult>();
  const abort = new AbortController();
  for (const { name } of options.sources) {
    results.set(name, { at: null, error: null, looks: [] });
    const counts = [{ metric: 'lifeboat_sample_errors_total', labels: { source: name }, value: 0 }] as const;
    options.exposition.apply('always', { counts, gauges: [lastGood(name)] });
  }
  const loops = options.sources.map((source) => keepLooking(source, { ...options, results, signal: abort.signal }));
  return {
    results,
    async end() {
      abort.abort();
      await Promise.all(loops);
    },
  };
}

interface Looking extends SamplingOptions {
  readonly results: Map<SourceName, LookResult>;
  readonly signal: AbortSignal;
}

async function keepLooking(source: Source, looking: Looking): Promise<void> {
  const { signal } = looking;
  while (!signal.aborted) {
    const began = performance.now();
    const look = beginLook(source, looking);
    const outcome = await look.outcome;
    if (signal.aborted) return;
    note(source, outcome, { ...looking, seconds: (performance.now() - began) / 1_000 });
    // One at a time: a source that hangs must not pile up.
    await look.ended;
    const tookMs = performance.now() - began;
    const pauseMs = Math.max(source.everyMs, source.isCostly ? PAUSE_SHARE * tookMs : 0);
    // Ended by the signal: the loop's condition sees it.
    await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

type Outcome = { readonly sample: Sample } | { readonly error: unknown };

interface Begun {
  /** Of the look, or that it took too long. */
  readonly outcome: Promise<Outcome>;
  /** When nothing of it is left, or when all are to end. */
  readonly ended: Promise<void>;
}

/** Listeners are taken away again: the signal lives as long as the worker. */
function beginLook(source: Source, { signal, limitMs = LOOK_LIMIT_MS }: Looking): Begun {
  const limit = new AbortController();
  const stop = (): void => limit.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const slow = new LifeboatError('MONITORING_SOURCE_SLOW', `look at ${source.name}: no answer in ${limitMs / 1_000} s`);
  const timer = setTimeout(() => limit.abort(slow), limitMs).unref();
  const given = Promise.withResolvers<Outcome>();
  const ended = Promise.withResolvers<void>();
  const finish = (): void => ended.resolve();
  limit.signal.addEventListener('abort', () => given.resolve({ error: limit.signal.reason }), { once: true });
  signal.addEventListener('abort', finish, { once: true });
  // What throws at once has failed like what rejects.
  void (async () => source.sample(limit.signal))()
    .then(
      (sample) => given.resolve({ sample }),
      (error: unknown) => given.resolve({ error }),
    )
    .finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      signal.removeEventListener('abort', finish);
      finish();
    });
  return { outcome: given.promise, ended: ended.promise };
}

function note(
  { name }: Source,
  outcome: Outcome,
  { results, exposition, onChange, seconds }: Looking & { readonly seconds: number },
): void {
  const before = results.get(name);
  const at = new Date().toISOString();
  const took = { metric: 'lifeboat_sample_duration_seconds', labels: { source: name }, value: seconds } as const;
  if ('error' in outcome) {
    const { code, message } = toLifeboatError(outcome.error);
    results.set(name, { at, error: { code, message }, looks: before?.looks ?? [] });
    const counts = [{ metric: 'lifeboat_sample_errors_total', labels: { source: name }, value: 1 }] as const;
    exposition.apply('always', { counts, gauges: [took] });
  } else {
    results.set(name, { at, error: null, looks: outcome.sample.looks ?? [] });
    exposition.apply(name, outcome.sample);
    exposition.apply('always', { gauges: [took, lastGood(name)] });
  }
  const { error } = results.get(name) ?? { error: null };
  if (before?.error?.code !== error?.code) onChange(name, error);
}

function lastGood(source: SourceName): {
  metric: 'lifeboat_sample_timestamp_seconds';
  labels: { source: string };
  value: number;
} {
  return { metric: 'lifeboat_sample_timestamp_seconds', labels: { source }, value: Date.now() / 1_000 };
}
