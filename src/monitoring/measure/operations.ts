import type { Reading, Sample } from '../sample.ts';

/** An operation that has ended. */
export interface EndedOperation {
  readonly runId: string;
  /** As it was started: `full`, `restore`. */
  readonly kind: string;
  readonly result: OperationResult;
  readonly startedMs: number;
  readonly endedMs: number;
}

export const OPERATION_RESULTS = ['completed', 'failed', 'cancelled', 'terminated', 'timed-out'] as const;
export type OperationResult = (typeof OPERATION_RESULTS)[number];

/** An operation that runs. */
export interface RunningOperation {
  readonly kind: string;
  /** What the run says it is in. */
  readonly phase: string | null;
}

/** Kinds that are counted from the start, so that the first of them is seen as one more. */
export const COUNTED_KINDS: readonly string[] = [
  'full',
  'incremental',
  'restore',
  'undo',
  'directory',
  'verify',
  'cleanup',
  'copy',
  'plan',
  'failover',
  'evaluation',
  'drill',
  'rewrap',
  'hold',
  'journal',
  'journal-copy',
];

/** Phases of a run of a plan in which it goes on only when a person says so. */
const WAITING: readonly (string | null)[] = ['waiting', 'paused'];

/** Remembers what was counted: operations are read again with an overlap, since Temporal lists them a little late. */
export interface OperationMeter {
  /** What to list: all that ended since then, ms since 1970. */
  readonly sinceMs: number;
  /** Takes the next listing; what had ended before the first one is not counted, for nobody knows whether it was before. */
  measure(ended: readonly EndedOperation[], running: readonly RunningOperation[]): Sample;
}

/** How late Temporal may list an operation that has ended. */
const OVERLAP_MS = 60_000;

export function createOperationMeter(rememberMs: number, nowMs: number): OperationMeter {
  let sinceMs = nowMs - rememberMs;
  let seen: Map<string, number> | null = null;
  const last = new Map<string, Reading>();
  return {
    get sinceMs() {
      return sinceMs;
    },
    measure(ended, running) {
      const before = seen;
      const fresh = before === null ? [] : ended.filter(({ runId }) => !before.has(runId));
      for (const operation of ended) noteLast(last, operation);
      sinceMs = Math.max(sinceMs, newest(ended) - OVERLAP_MS);
      const all = [...(before ?? []), ...ended.map(({ runId, endedMs }) => [runId, endedMs] as const)];
      seen = new Map(all.filter(([, endedMs]) => endedMs >= sinceMs));
      return {
        gauges: [...last.values(), ...measureRunning(running)],
        counts: [
          ...(before === null ? zeros() : []),
          ...fresh.map((one): Reading => ({ ...labelled('lifeboat_operations_total', one), value: 1 })),
        ],
        durations: fresh.map((one): Reading => ({
          ...labelled('lifeboat_operation_duration_seconds', one),
          value: (one.endedMs - one.startedMs) / 1_000,
        })),
      };
    },
  };
}

function newest(ended: readonly EndedOperation[]): number {
  return ended.reduce((latest, { endedMs }) => Math.max(latest, endedMs), 0);
}

function noteLast(last: Map<string, Reading>, operation: EndedOperation): void {
  const key = `${operation.kind}/${operation.result}`;
  const value = operation.endedMs / 1_000;
  if ((last.get(key)?.value ?? 0) < value)
    last.set(key, { ...labelled('lifeboat_operation_last_timestamp_seconds', operation), value });
}

function labelled<M extends Reading['metric']>(
  metric: M,
  { kind, result }: EndedOperation,
): { readonly metric: M; readonly labels: { readonly kind: string; readonly result: string } } {
  return { metric, labels: { kind, result } };
}

function zeros(): Reading[] {
  return COUNTED_KINDS.flatMap((kind) =>
    OPERATION_RESULTS.map((result): Reading => ({
      metric: 'lifeboat_operations_total',
      labels: { kind, result },
      value: 0,
    })),
  );
}

function measureRunning(running: readonly RunningOperation[]): Reading[] {
  const kinds = [...new Set([...COUNTED_KINDS, ...running.map(({ kind }) => kind)])];
  const waiting = running.filter(({ kind, phase }) => kind === 'plan' && WAITING.includes(phase)).length;
  return [
    ...kinds.map((kind): Reading => ({
      metric: 'lifeboat_operations_running',
      labels: { kind },
      value: running.filter((one) => one.kind === kind).length,
    })),
    { metric: 'lifeboat_plan_runs_waiting', value: waiting },
  ];
}
