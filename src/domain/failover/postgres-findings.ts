import { lsnOf } from '../lsn.ts';
import type { Finding, PairLimits } from './finding.ts';
import type { PostgresView } from './postgres-view.ts';

export interface FindingsQuestion {
  readonly primary?: PostgresView;
  readonly standby: PostgresView;
  readonly limits: PairLimits;
  readonly lastPrimaryLsn?: string;
  readonly standbyFreeBytes?: number | { readonly unknown: string };
}

/** What stands in the way of a change of roles, or makes it worse. Without a primary: of a promotion after its loss. */
export function findingsOf(question: FindingsQuestion): readonly Finding[] {
  const { primary } = question;
  const all = [
    lag(question),
    paused(question),
    room(question),
    ...(primary === undefined ? [] : ofBoth(question, primary)),
  ];
  return all.filter((finding) => finding !== undefined);
}

/** Bytes that `standby` has not received; never negative: a position may be older than what it is compared with. */
export function lagBytes(primaryLsn: string, standby: Pick<PostgresView, 'lsn'>): number {
  const bytes = lsnOf(primaryLsn) - lsnOf(standby.lsn);
  return bytes > 0n ? Number(bytes) : 0;
}

function lag({ primary, standby, limits, lastPrimaryLsn }: FindingsQuestion): Finding | undefined {
  const lsn = primary?.lsn ?? lastPrimaryLsn;
  if (lsn === undefined) {
    return {
      name: 'lag-unknown',
      weight: 'approval',
      message: `how far ${standby.node} is behind is unknown: the primary was never seen`,
    };
  }
  const bytes = lagBytes(lsn, standby);
  if (bytes <= limits.maxLagBytes) return undefined;
  const message = `${standby.node} is ${bytes} bytes behind, ${limits.maxLagBytes} are allowed`;
  return { name: 'standby-behind', weight: primary === undefined ? 'approval' : 'stops', message };
}

/** A paused replay does not hold a promotion up, which ends the pause, but a standby would never catch up. */
function paused({ primary, standby }: FindingsQuestion): Finding | undefined {
  if (!standby.replayPaused) return undefined;
  const weight = primary === undefined ? 'notice' : 'stops';
  return { name: 'replay-paused', weight, message: `replay of ${standby.node} is paused` };
}

/** A standby on a full disk stops replaying, and a primary on one stops for good. */
function room({ primary, standby, limits, standbyFreeBytes }: FindingsQuestion): Finding | undefined {
  const { minFreeBytes } = limits;
  if (minFreeBytes === undefined || standbyFreeBytes === undefined) return undefined;
  if (typeof standbyFreeBytes !== 'number') {
    const message = `how much room ${standby.node} has is unknown: ${standbyFreeBytes.unknown}`;
    return { name: 'disk-unknown', weight: 'notice', message };
  }
  if (standbyFreeBytes >= minFreeBytes) return undefined;
  const message = `${standby.node} has ${standbyFreeBytes} bytes free, ${minFreeBytes} are asked for`;
  return { name: 'disk-nearly-full', weight: primary === undefined ? 'approval' : 'stops', message };
}

function ofBoth({ standby, limits }: FindingsQuestion, primary: PostgresView): readonly (Finding | undefined)[] {
  return [streaming(primary, standby, limits), archiver(primary), baseBackup(primary), slots(standby), rewind(standby)];
}

/** Both ends must say so: a receiver calls itself streaming long after a cut, a sender may serve somebody else. */
function streaming(primary: PostgresView, standby: PostgresView, limits: PairLimits): Finding | undefined {
  const silent = standby.receiver?.silentSeconds ?? Number.POSITIVE_INFINITY;
  const sends = primary.senders.some(({ state }) => state === 'streaming');
  if (standby.receiver?.status === 'streaming' && sends && silent <= limits.maxSilentSeconds) return undefined;
  const heard = Number.isFinite(silent) ? `last heard from its sender ${silent.toFixed(1)} s ago` : 'has no receiver';
  const message = `${standby.node} does not stream from ${primary.node}: it ${heard}`;
  return { name: 'not-streaming', weight: 'stops', message };
}

function archiver({ node, archiverFailing }: PostgresView): Finding | undefined {
  const message = `archiving of ${node} fails: its stop waits for that, and what it has not archived stays there`;
  return archiverFailing ? { name: 'archiver-failing', weight: 'notice', message } : undefined;
}

function baseBackup({ node, baseBackupsRunning }: PostgresView): Finding | undefined {
  const message = `${baseBackupsRunning} base backups run on ${node} and would be broken off`;
  return baseBackupsRunning > 0 ? { name: 'base-backup-running', weight: 'notice', message } : undefined;
}

function slots({ node, slots }: PostgresView): Finding | undefined {
  const lost = slots.filter(({ invalid }) => invalid !== null);
  if (lost.length === 0) return undefined;
  const each = lost.map(({ name, invalid }) => `${name} (${invalid})`);
  return { name: 'slot-invalid', weight: 'notice', message: `slots of ${node} cannot be used: ${each.join(', ')}` };
}

function rewind({ node, rewindable }: PostgresView): Finding | undefined {
  if (rewindable) return undefined;
  const message = `${node} has neither checksums nor wal_log_hints: a lost primary can only be rebuilt, not rewound`;
  return { name: 'not-rewindable', weight: 'notice', message };
}
