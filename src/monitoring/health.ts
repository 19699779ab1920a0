import { monitorEventLoopDelay } from 'node:perf_hooks';
import { judgeReadiness, type Readiness, type WorkerPhase } from '../domain/readiness.ts';
import type { Look } from './sample.ts';
import type { LookResult } from './sampling.ts';

/** What `/healthz` says: that the process lives. A stuck event loop gives no answer at all. */
export interface Liveness {
  readonly alive: true;
  readonly pid: number;
  readonly uptimeSeconds: number;
  /** Longest time that the event loop was held up since the question before. */
  readonly eventLoopDelaySeconds: number;
}

type Answer = Pick<Look, 'up' | 'problem'>;

/** What `/readyz` says. */
export interface ReadinessReport extends Readiness {
  readonly group: string;
  readonly roles: readonly string[];
  readonly temporal: { readonly phase: WorkerPhase; readonly since: string; readonly problem: string | null };
  readonly databases: Readonly<Record<string, Answer>>;
  readonly stores: Readonly<Record<string, Answer>>;
  /** Of everything that is looked at: when last, and why it went wrong. */
  readonly samples: Readonly<Record<string, Pick<LookResult, 'at' | 'error'>>>;
}

/** What the worker says of itself while it begins, runs and ends. */
export interface WorkerHealth {
  phase(): WorkerPhase;
  /** `problem`: why it waits. */
  enter(phase: WorkerPhase, problem?: string): void;
  liveness(): Liveness;
  readiness(results: ReadonlyMap<string, LookResult>): ReadinessReport;
}

const NANOSECONDS = 1e9;

export function createWorkerHealth(group: string, roles: readonly string[]): WorkerHealth {
  const loop = monitorEventLoopDelay();
  loop.enable();
  let now: { phase: WorkerPhase; since: string; problem: string | null } = {
    phase: 'waiting',
    since: new Date().toISOString(),
    problem: null,
  };
  return {
    phase: () => now.phase,
    enter(phase, problem) {
      const since = phase === now.phase ? now.since : new Date().toISOString();
      now = { phase, since, problem: problem ?? null };
    },
    liveness() {
      const eventLoopDelaySeconds = loop.max / NANOSECONDS;
      loop.reset();
      return { alive: true, pid: process.pid, uptimeSeconds: Math.round(process.uptime()), eventLoopDelaySeconds };
    },
    readiness(results) {
      const looks = [...results.values()].flatMap((result) => result.looks);
      const temporal = looks.find(({ what }) => what === 'temporal') ?? null;
      const others = looks.filter(({ what }) => what !== 'temporal');
      return {
        ...judgeReadiness(now.phase, { temporal, others }),
        group,
        roles,
        temporal: { ...now, problem: now.problem ?? temporal?.problem ?? null },
        databases: byName(looks, 'database'),
        stores: byName(looks, 'store'),
        samples: Object.fromEntries([...results].map(([name, { at, error }]) => [name, { at, error }])),
      };
    },
  };
}

function byName(looks: readonly Look[], wanted: Look['what']): Record<string, Answer> {
  const found = looks.filter(({ what }) => what === wanted);
  return Object.fromEntries(found.map(({ name, up, problem }) => [name, { up, problem }]));
}
