import { Runtime } from '@temporalio/worker';
import type { RuntimeOptions } from '@temporalio/worker';
import { freePort } from '../platform/ports.ts';

/** Tries to find a port that nobody takes in the moment before the SDK does. */
const ATTEMPTS = 3;

/** What Temporal's SDK counts, in Prometheus' text format; its names begin with `temporal_`. */
export interface SdkMetrics {
  read(signal: AbortSignal): Promise<string>;
}

/**
 * Installs Temporal's runtime so that it tells its metrics. It serves them itself and nowhere else than at a port: one of the loopback, from
 * which they are read here.
 */
export async function installWithMetrics(options: RuntimeOptions, group: string): Promise<SdkMetrics> {
  for (let attempt = 1; ; attempt += 1) {
    const bindAddress = `127.0.0.1:${await freePort()}`;
    const prometheus = { bindAddress, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true };
    try {
      Runtime.install({ ...options, telemetryOptions: { metrics: { prometheus, globalTags: { group } } } });
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      continue;
    }
    return { read: async (signal) => readText(`http://${bindAddress}/metrics`, signal) };
  }
}

async function readText(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal });
  const text = await response.text();
  if (!response.ok) throw new Error(`read the metrics of Temporal's SDK: status ${response.status}`);
  return text;
}
