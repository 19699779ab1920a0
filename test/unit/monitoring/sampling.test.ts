import { LifeboatError } from '../../../src/domain/errors.ts';
import { createExposition } from '../../../src/monitoring/exposition.ts';
import type { Source } from '../../../src/monitoring/sample.ts';
import { type LookResult, type Sampling, startSampling } from '../../../src/monitoring/sampling.ts';
import { readMetrics, type Series } from '../../support/metrics-text.ts';

const OFTEN = { everyMs: 1, isCostly: false };
const UP = { gauges: [{ metric: 'lifeboat_store_up', labels: { store: 'repository' }, value: 1 }] } as const;

let sampling: Sampling | undefined;
afterEach(async () => sampling?.end());

interface Watched {
  series(): Promise<Series>;
  readonly changes: readonly (string | null)[];
}

function watch(sources: readonly Source[], limitMs = 60_000): Watched {
  const exposition = createExposition('default');
  const changes: (string | null)[] = [];
  const onChange = (_source: string, error: LookResult['error']): void => void changes.push(error?.code ?? null);
  sampling = startSampling({ sources, exposition, onChange, limitMs });
  return { series: async () => readMetrics(await exposition.text()), changes };
}

/** Until it holds; the runner's own limit ends what never does. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2));
}

test('a source that hangs holds up no other, has failed after its limit, and is not asked again before it has ended', async () => {
  let begun = 0;
  let looks = 0;
  const end = Promise.withResolvers<object>();
  const { series } = watch(
    [
      { name: 'targets', ...OFTEN, sample: async () => ((begun += 1) === 1 ? end.promise : UP) },
      { name: 'stores', ...OFTEN, sample: async () => ((looks += 1), UP) },
    ],
    20,
  );
  await until(() => sampling?.results.get('targets')?.error?.code === 'MONITORING_SOURCE_SLOW');
  const seen = looks;
  await until(() => looks > seen + 3);
  expect(begun).toBe(1);
  expect((await series()).value('lifeboat_sample_errors_total', { source: 'targets' })).toBe(1);
  expect((await series()).value('lifeboat_store_up')).toBe(1);
  end.resolve({});
  await until(() => begun > 1);
});

test('the signal of a look that takes too long is aborted', async () => {
  const reason = Promise.withResolvers<unknown>();
  const sample = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        reason.resolve(signal.reason);
        reject(signal.reason as Error);
      });
    });
  watch([{ name: 'repository', ...OFTEN, sample }], 10);
  expect(await reason.promise).toMatchObject({ code: 'MONITORING_SOURCE_SLOW' });
});

test('a look that fails leaves the values of the last good one, and says since when; what comes and goes is told once', async () => {
  let isAway = false;
  let looks = 0;
  const sample = async (): Promise<typeof UP> => {
    looks += 1;
    if (isAway) throw new LifeboatError('STORE_IO', 'connection refused');
    return UP;
  };
  const { series, changes } = watch([{ name: 'stores', ...OFTEN, sample }]);
  await until(() => looks > 2);
  isAway = true;
  await until(() => sampling?.results.get('stores')?.error !== null);
  const since = (await series()).value('lifeboat_sample_timestamp_seconds', { source: 'stores' });
  const seen = looks;
  await until(() => looks > seen + 3);
  const later = await series();
  expect(later.value('lifeboat_store_up')).toBe(1);
  expect(later.value('lifeboat_sample_timestamp_seconds', { source: 'stores' })).toBe(since);
  expect(later.value('lifeboat_sample_errors_total', { source: 'stores' })).toBeGreaterThan(3);
  isAway = false;
  await until(async () => ((await series()).value('lifeboat_sample_timestamp_seconds') ?? 0) > (since ?? 0));
  expect(changes).toEqual(['STORE_IO', null]);
});

test('what throws at once has failed like what rejects', async () => {
  const sample = (): never => {
    throw new Error('broken');
  };
  watch([{ name: 'plans', ...OFTEN, sample }]);
  await until(() => sampling?.results.get('plans')?.at !== null);
  expect(sampling?.results.get('plans')?.error).toEqual({ code: 'INTERNAL', message: 'broken' });
});

test('a costly source that is slow is looked at for a small part of the time', async () => {
  const times: number[] = [];
  const sample = async (): Promise<object> => {
    times.push(performance.now());
    await new Promise((resolve) => setTimeout(resolve, 20));
    return {};
  };
  watch([{ name: 'repository', everyMs: 1, isCostly: true, sample }]);
  await until(() => times.length > 1);
  // Timers are never early by more than rounding.
  expect(times[1]! - times[0]!).toBeGreaterThan(190);
});

test('an end does not wait for what hangs', async () => {
  watch([{ name: 'sdk', ...OFTEN, sample: () => new Promise(() => undefined) }]);
  await expect(sampling?.end()).resolves.toBeUndefined();
});
