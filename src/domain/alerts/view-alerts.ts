import type { ActiveAlert } from './alert.ts';
import { SEVERITIES } from './alert-terms.ts';
import { type Outboxes, waitMs } from './outbox.ts';

interface Known<Unseen> {
  readonly lookedAt: string | null;
  readonly problem: string | null;
  readonly unseen: readonly Unseen[];
}

interface Channel {
  readonly name: string;
  readonly pending: number;
  readonly dropped: number;
  readonly lastError: string | null;
  readonly nextAt: string | null;
}

/** Alerts as people and programs see them: the worst first, then the oldest; and what channels have yet to be told. */
export function viewAlerts<Unseen>(
  state: Known<Unseen> & {
    readonly memory: { readonly active: readonly ActiveAlert[] } | null;
    readonly outboxes: Outboxes;
  },
): Known<Unseen> & { readonly alerts: readonly ActiveAlert[]; readonly channels: readonly Channel[] } {
  const { memory, lookedAt, problem, unseen, outboxes } = state;
  const alerts = (memory?.active ?? []).toSorted(
    (a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) || compare(a.since, b.since),
  );
  const channels = Object.entries(outboxes).map(([name, box]) => {
    const { notices, dropped, lastError, nextAt } = box;
    return { name, pending: notices.length, dropped, lastError, nextAt: waitMs(box, 0) === null ? null : nextAt };
  });
  return { lookedAt, problem, unseen, alerts, channels };
}

function compare(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
