import type { ComponentName } from '../backup.ts';
import { describeLoss } from './failover-plan.ts';
import type { ExactLoss } from './loss.ts';

/** What makes a stopped primary a standby of the new one, found by looking at both. */
export interface PostgresReturn {
  readonly service: string;
  readonly old: string;
  readonly primary: string;
  /** Epoch that was seen. */
  readonly epoch: number;
  /** The timeline that the old one is left on, and where the new primary left it. */
  readonly timeline: number;
  readonly forkLsn: string;
  /** What only the old one has; null where it is on the new timeline already. */
  readonly missing: ExactLoss | null;
}

export interface RedisReturn {
  readonly service: string;
  readonly old: string;
  readonly primary: string;
  readonly epoch: number;
}

export interface RejoinPlan {
  readonly region: string;
  readonly postgres: PostgresReturn | null;
  readonly redis: RedisReturn | null;
}

export interface RejoinOutcome {
  readonly region: string;
  readonly postgres: {
    readonly primary: string;
    readonly way: 'followed' | 'rewound' | 'rebuilt' | 'there';
    /** Of what was taken back. */
    readonly loss: ExactLoss | null;
  } | null;
  readonly redis: { readonly primary: string; readonly discardedBytes: number | null } | null;
}

export function describeRejoin({ region, postgres, redis }: RejoinOutcome): string {
  const each: readonly (readonly [ComponentName, string | null])[] = [
    ['postgres', postgres && `${WAYS[postgres.way]} ${postgres.primary}${lossOf(postgres.loss)}`],
    ['redis', redis && `follows ${redis.primary}, ${redis.discardedBytes ?? 'an unknown number of'} bytes discarded`],
  ];
  return each.flatMap(([name, what]) => (what === null ? [] : [`${NAMES[name]} of ${region} ${what}`])).join('; ');
}

const NAMES = { postgres: 'PostgreSQL', redis: 'Redis' } as const;
const WAYS = {
  followed: 'follows',
  rewound: 'was rewound and follows',
  rebuilt: 'was copied anew and follows',
  there: 'followed already:',
} as const;

function lossOf(loss: ExactLoss | null): string {
  return loss === null || loss.bytes === 0 ? '' : `, ${describeLoss(loss)}`;
}
