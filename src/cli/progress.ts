import type { Progress } from '../domain/operation.ts';
import type { TextStream } from './output.ts';
import { formatBytes, formatElapsed } from './units.ts';

/** One thing that is under way. */
export interface ProgressRow {
  /** `dump postgres`, `export redis`; tells rows apart from one update to the next. */
  readonly name: string;
  readonly progress: Progress | undefined;
  /** Attempt, last failure: shown behind the rest. */
  readonly note?: string;
}

/** Shows what a running operation does, on stderr. Call `update` as often as there is news; it is shown at its own pace. */
export interface ProgressView {
  update(rows: readonly ProgressRow[]): void;
  /** Clears the live view. Safe to call twice; `update` starts it again. */
  stop(): void;
}

export interface ProgressOptions {
  readonly mode: 'live' | 'lines' | 'none';
  readonly stream: TextStream & { readonly columns?: number };
  /** Between two lines; the live view has a pace of its own. */
  readonly intervalMs: number;
  /** Milliseconds that only go forward. */
  readonly now?: () => number;
}

/** Pace of the live view: smooth for the eye, cheap for the terminal. */
const LIVE_INTERVAL_MS = 200;
/** The rate is taken over this stretch, so that it neither jumps nor remembers a stall for long. */
const RATE_WINDOW_MS = 5_000;
const BAR_CELLS = 20;

export function createProgressView(options: ProgressOptions): ProgressView {
  const { mode, stream, intervalMs, now = () => performance.now() } = options;
  if (mode === 'none') return { update: () => undefined, stop: () => undefined };
  const meter = createMeter(now);
  const paceMs = mode === 'live' ? LIVE_INTERVAL_MS : intervalMs;
  let shownAt: number | undefined;
  let shownLines = 0;
  const clear = (): void => {
    if (shownLines > 0) stream.write(`\u001B[${shownLines}A\u001B[J`);
    shownLines = 0;
  };
  return {
    update(rows) {
      const lines = rows.map((row) => describeRow(row, meter.read(row)));
      if (shownAt !== undefined && now() - shownAt < paceMs) return;
      shownAt = now();
      if (mode === 'live') clear();
      // A line that wraps could not be cleared again by counting lines.
      const fit = (line: string): string => (mode === 'live' ? line.slice(0, (stream.columns ?? 80) - 1) : line);
      for (const line of lines) stream.write(`${fit(line)}\n`);
      shownLines = mode === 'live' ? lines.length : 0;
    },
    stop() {
      clear();
      shownAt = undefined;
    },
  };
}

interface Reading {
  readonly bytesPerSecond: number;
  readonly elapsedMs: number;
}

/** Remembers the last seconds of every row. */
function createMeter(now: () => number): { read(row: ProgressRow): Reading } {
  const samples = new Map<string, { startedAt: number; recent: { at: number; bytes: number }[] }>();
  return {
    read({ name, progress }) {
      const at = now();
      const bytes = progress?.bytes ?? 0;
      const known = samples.get(name) ?? { startedAt: at, recent: [] };
      samples.set(name, known);
      // A new attempt counts from zero again.
      if (bytes < (known.recent.at(-1)?.bytes ?? 0)) known.recent = [];
      known.recent = [...known.recent.filter((sample) => at - sample.at <= RATE_WINDOW_MS), { at, bytes }];
      const first = known.recent[0] ?? { at, bytes };
      const seconds = (at - first.at) / 1_000;
      return { bytesPerSecond: seconds > 0 ? (bytes - first.bytes) / seconds : 0, elapsedMs: at - known.startedAt };
    },
  };
}

/** `dump postgres  dumping  public.audit  1.2 GiB of 4 GiB  88 MiB/s  0:14`. */
export function describeRow({ name, progress, note }: ProgressRow, reading: Reading): string {
  const { bytes = 0, totalBytes, phase, object, items } = progress ?? {};
  const total =
    totalBytes === undefined || totalBytes < bytes ? '' : ` of ${formatBytes(totalBytes)} ${bar(bytes, totalBytes)}`;
  const parts = [
    name,
    phase,
    object,
    items === undefined ? undefined : `${items} items`,
    progress === undefined ? undefined : `${formatBytes(bytes)}${total}`,
    reading.bytesPerSecond > 0 ? `${formatBytes(reading.bytesPerSecond)}/s` : undefined,
    formatElapsed(reading.elapsedMs),
    note,
  ];
  return parts.filter((part) => part !== undefined && part !== '').join('  ');
}

function bar(bytes: number, totalBytes: number): string {
  const cells = totalBytes === 0 ? 0 : Math.floor((bytes / totalBytes) * BAR_CELLS);
  return `[${'='.repeat(cells)}${' '.repeat(BAR_CELLS - cells)}]`;
}
