import { pollersOf } from '../client/workers.ts';
import type { WorkerRole } from '../contract/names.ts';
import { messageOf } from '../domain/errors.ts';
import type { WorkerPhase } from '../domain/readiness.ts';
import type { Reading, Sample } from '../monitoring/sample.ts';
import type { TemporalLooks } from './temporal-looks.ts';

const ROLES: readonly WorkerRole[] = ['control', 'data', 'journal', 'copy'];
/** A server that answers does so in milliseconds. */
const ANSWER_MS = 5_000;

interface Asking {
  readonly temporal: TemporalLooks;
  readonly group: string;
  phase(): WorkerPhase;
}

/** Whether Temporal answers, and who takes work from the queues. That it does not answer is a result. */
export async function sampleTemporal({ temporal, group, phase }: Asking, signal: AbortSignal): Promise<Sample> {
  const polling: Reading = { metric: 'lifeboat_worker_polling', value: phase() === 'polling' ? 1 : 0 };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  try {
    const pollers = await temporal.use(limit, async (client) =>
      Promise.all(ROLES.map(async (role) => ({ role, count: await pollersOf(client, group, role) }))),
    );
    const gauges = pollers.map(({ role, count }): Reading => ({
      metric: 'lifeboat_queue_pollers',
      labels: { role },
      value: count,
    }));
    return {
      gauges: [polling, { metric: 'lifeboat_temporal_up', value: 1 }, ...gauges],
      looks: [{ what: 'temporal', name: 'temporal', up: true, problem: null }],
    };
  } catch (error) {
    signal.throwIfAborted();
    return {
      gauges: [polling, { metric: 'lifeboat_temporal_up', value: 0 }],
      looks: [{ what: 'temporal', name: 'temporal', up: false, problem: messageOf(error) }],
    };
  }
}
