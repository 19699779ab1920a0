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

/** `USER_HZ` of Linux: the unit of the times in /proc. */
const TICKS_PER_SECOND = 100;
/** A server process that just ended is counted once its parent has waited for it. */
const REAP_MS = 500;

/**
 * Processor seconds that processes and their ended children took while `work` ran. On a busy machine they say more than the clock.
 * Linux.
 */
export async function withProcessorTime<T>(
  pids: readonly number[],
  work: () => Promise<T>,
): Promise<{ readonly answer: T; readonly cpuSeconds: number }> {
  const from = await processorSeconds(pids);
  const answer = await work();
  await delay(REAP_MS);
  return { answer, cpuSeconds: round((await processorSeconds(pids)) - from, 1) };
}

async function processorSeconds(pids: readonly number[]): Promise<number> {
  const stats = await Promise.all(pids.map(async (pid) => readFile(`/proc/${pid}/stat`, 'utf8')));
  // proc(5): utime, stime, cutime and cstime are the 14th to 17th field; the 2nd, a name in brackets, may hold blanks.
  const ticks = stats.flatMap((stat) =>
    stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15),
  );
  return ticks.reduce((sum, text) => sum + Number(text), 0) / TICKS_PER_SECOND;
}
