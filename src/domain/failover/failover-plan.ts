import { LifeboatError } from '../errors.ts';
import type { PlanMode } from '../plan/recovery-plan.ts';
import type { Authority } from './authority.ts';
import type { ExactLoss, LossEstimate } from './loss.ts';
import type { PairVerdict } from './pair-verdict.ts';
import { requireReady } from './require-ready.ts';

/** `done`: the target is primary already, and holds the authority. */
export type ChangeWay = 'graceful' | 'ungraceful' | 'done';

/** What a failover has to do about one service, found by looking at both of its servers. */
export interface PlannedChange {
  readonly service: string;
  readonly from: string;
  readonly to: string;
  readonly way: ChangeWay;
  /** Epoch that was seen; 0 where nobody has taken one. */
  readonly epoch: number;
  /** Findings that a person takes on, and those worth knowing: one sentence each. */
  readonly approvals: readonly string[];
  readonly notices: readonly string[];
}

export interface PostgresChange extends PlannedChange {
  readonly systemIdentifier: string;
  /** The one that is left. */
  readonly timeline: number;
  /** Last position of the primary that was seen; null where it did not answer. */
  readonly primaryLsn: string | null;
}

export interface RedisChange extends PlannedChange {
  /** History of the master's stream. */
  readonly replid: string;
  /** Silence of the master, as its replica knows it, seconds; null where it is not known. */
  readonly silentSeconds: number | null;
}

export interface FailoverPlan {
  readonly targetRegion: string;
  readonly postgres: PostgresChange | null;
  readonly redis: RedisChange | null;
}

/** What of the stream of Redis only the old master has. */
export interface RedisLoss {
  readonly kind: 'exact' | 'estimate';
  /** null where the old master does not answer. */
  readonly bytes: number | null;
  /** Age of what the replica has at most; null where it is not known. */
  readonly seconds: number | null;
}

/** What became of one service. */
export interface ChangedRoles {
  readonly service: string;
  readonly way: ChangeWay;
  /** Under which the roles were changed; of a `done` one that was seen. */
  readonly epoch: number;
  readonly primary: string;
  readonly old: string;
  /** `fenced`: stopped, and a start brings back a standby; `follows`: a replica of the new one; `unproven`: approved by a person. */
  readonly oldIs: 'fenced' | 'follows' | 'unproven' | 'unchanged';
  /** Null where nothing was changed, and where it could not be counted. */
  readonly loss: ExactLoss | LossEstimate | RedisLoss | null;
}

export interface FailoverOutcome {
  readonly targetRegion: string;
  readonly postgres: ChangedRoles | null;
  readonly redis: ChangedRoles | null;
}

export interface WayQuestion {
  readonly verdict: PairVerdict;
  readonly to: string;
  readonly mode: PlanMode;
  readonly authority: Authority | undefined;
  /** The run that asks: it may go on with what it has begun. */
  readonly holder: string;
}

/**
 * Which change of roles begins, if one may. In the ungraceful mode a pair that is sound is changed gracefully all the same. A graceful run
 * that had stopped the primary goes on where it was, once more under a proof.
 * @throws LifeboatError FAILOVER_NOT_READY, FAILOVER_SPLIT_BRAIN, FAILOVER_FOREIGN_STANDBY, FAILOVER_REJOIN_BLOCKED
 */
export function chooseWay(question: WayQuestion): ChangeWay {
  const { verdict, to, mode } = question;
  const { state, standby, mayBegin } = verdict;
  if (isDone(question)) return 'done';
  if (standby !== null && standby !== to) {
    const message = `begin a change of roles to ${to}: it does not answer as the standby`;
    throw new LifeboatError('FAILOVER_NOT_READY', message, { details: { state, standby } });
  }
  if (mode === 'graceful' && goesOn(question)) return 'graceful';
  if (mode === 'graceful' || mayBegin === 'graceful') {
    requireReady(verdict, 'graceful');
    return 'graceful';
  }
  const approvals = verdict.findings.filter(({ weight }) => weight === 'approval').map(({ name }) => name);
  requireReady(verdict, 'ungraceful', approvals);
  return 'ungraceful';
}

/** The target is primary, and nobody has given the authority to another. */
function isDone({ verdict: { state, primary }, to, authority }: WayQuestion): boolean {
  const isSound = state === 'healthy' || state === 'degraded' || state === 'standby-lost';
  return isSound && primary === to && (authority === undefined || authority.region === to);
}

/** The primary was stopped by this run, in an earlier attempt. */
function goesOn({ verdict, to, authority, holder }: WayQuestion): boolean {
  return verdict.state === 'primary-lost' && authority?.region === to && authority.holder === holder;
}

/** What a failover would do, as sentences. */
export function describeFailover({ postgres, redis }: FailoverPlan): readonly string[] {
  return [
    ...(postgres === null ? [] : describeChange('PostgreSQL', postgres)),
    ...(redis === null ? [] : describeChange('Redis', redis)),
  ];
}

function describeChange(what: string, { way, from, to, approvals, notices }: PlannedChange): readonly string[] {
  if (way === 'done') return [`leave ${what} alone: ${to} is primary already`];
  const asks = approvals.map((one) => `need a fence of ${from}, or an approval before: ${one}`);
  return [
    `make ${to} primary of ${what} in the place of ${from}, ${way}`,
    ...asks,
    ...notices.map((one) => `note that ${one}`),
  ];
}

/** What was lost, for people. */
export function describeLoss(loss: ChangedRoles['loss']): string {
  if (loss === null) return 'loss not counted';
  const bytes = loss.bytes === null ? 'an unknown number of bytes' : `${loss.bytes} bytes`;
  const transactions = 'transactions' in loss ? `, ${loss.transactions} transactions` : '';
  const seconds = loss.seconds === null ? '' : `, ${loss.seconds} s`;
  return `${loss.kind} loss ${bytes}${transactions}${seconds}`;
}

/** One sentence about each service. */
export function describeOutcome({ postgres, redis }: FailoverOutcome): string {
  const each = [
    ['PostgreSQL', postgres],
    ['Redis', redis],
  ] as const;
  return each.flatMap(([what, roles]) => (roles === null ? [] : [`${what}: ${describeRoles(roles)}`])).join('; ');
}

function describeRoles({ primary, way, epoch, old, oldIs, loss }: ChangedRoles): string {
  if (way === 'done') return `${primary} was primary already`;
  return `${primary} is primary since epoch ${epoch}, ${old} ${oldIs}, ${describeLoss(loss)}`;
}
