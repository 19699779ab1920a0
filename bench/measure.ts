import { readFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** One measurement: a name, numbers with their units in their names, and what was held against them. */
export interface Measurement {
  readonly measure: string;
  readonly seconds?: number;
  readonly [fact: string]: string | number | boolean | undefined;
}

/** Prints one JSON line, with the load of the machine beside it: a figure from a busy machine is worth little. */
export function report(measurement: Measurement): void {
  const load = loadavg()[0] ?? 0;
  process.stdout.write(`${JSON.stringify({ ...measurement, load1: round(load), cores: cpus().length })}\n`);
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

/** Runs `work` and gives its answer with the seconds it took. */
export async function timed<T>(work: () => Promise<T>): Promise<{ readonly answer: T; readonly seconds: number }> {
  const from = performance.now();
  const answer = await work();
  return { answer, seconds: round((performance.now() - from) / 1_000) };
}

const SAMPLE_MS = 100;

/** Runs `work` while the resident memory of a process is sampled; gives the highest sample, MiB. Linux. */
export async function withPeakMemory<T>(
  pid: number,
  work: () => Promise<T>,
): Promise<{ readonly answer: T; readonly peakRssMib: number }> {
  let peakKib = 0;
  let running = true;
  const sampling = (async () => {
    while (running) {
      peakKib = Math.max(peakKib, await residentKib(pid));
      await delay(SAMPLE_MS);
    }
  })();
  try {
    const answer = await work();
    return { answer, peakRssMib: Math.round(peakKib / 1_024) };
  } finally {
    running = false;
    await sampling;
  }
}

async function residentKib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
}
