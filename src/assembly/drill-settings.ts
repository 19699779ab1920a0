import type { Config } from '../config/schema/config.ts';
import type { DrillCheck, Objectives } from '../domain/drill/drill.ts';
import { durationMs } from '../domain/duration.ts';

/** How drills are done, from the configuration. */
export function drillSettings({ drill, objectives: { rto, rpo } }: Config): {
  readonly everyMs: number | null;
  readonly checks: readonly DrillCheck[];
  readonly objectives: Objectives;
} {
  return {
    everyMs: orNull(drill.every),
    checks: drill.checks.map(checkOf),
    objectives: { rtoMs: orNull(rto), rpoMs: orNull(rpo) },
  };
}

function orNull(text: string | undefined): number | null {
  return text === undefined ? null : durationMs(text);
}

function checkOf({ name, sql, command, expected, min, max, timeout }: Config['drill']['checks'][number]): DrillCheck {
  return {
    name,
    timeoutMs: durationMs(timeout),
    ...(expected === undefined ? {} : { expected: String(expected) }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(sql === undefined ? { command: command ?? [] } : { sql }),
  };
}
