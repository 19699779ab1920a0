import { describeDuration } from '../drill/describe-duration.ts';
import type { Alert } from './alert.ts';
import type { AlertRules, JournalSeen, ProtectionSeen } from './alert-facts.ts';
import { isoOf, makeAlert } from './make-alert.ts';

/** A slot with less room than this share of its limit is about to be lost. */
const SLOT_ROOM = 0.25;

/** What backups and journals say: whether the group could be recovered now, and to when. */
export function judgeProtection(seen: ProtectionSeen, rules: AlertRules, nowMs: number): Alert[] {
  return [
    ...overdue(seen, rules, nowMs),
    ...damaged(seen, nowMs),
    ...recoveryPoints(seen, rules, nowMs),
    ...seen.journals.flatMap((journal) => judgeJournal(journal, rules, nowMs)),
  ];
}

function overdue({ newestBackupAt }: ProtectionSeen, { backupAgeMs }: AlertRules, nowMs: number): Alert[] {
  if (newestBackupAt === null) {
    return [makeAlert('backup-overdue', 'backup', { summary: 'there is no backup', since: isoOf(nowMs) })];
  }
  const endedMs = Date.parse(newestBackupAt);
  if (nowMs - endedMs <= backupAgeMs) return [];
  const summary = `the newest backup is ${describeDuration(nowMs - endedMs)} old; ${describeDuration(backupAgeMs)} are allowed`;
  const facts = { newestBackupAt };
  return [makeAlert('backup-overdue', 'backup', { summary, since: isoOf(endedMs + backupAgeMs), facts })];
}

function damaged({ damaged: ids }: ProtectionSeen, nowMs: number): Alert[] {
  return ids.map((id) =>
    makeAlert('backup-damaged', id, { summary: `${id} is damaged`, since: isoOf(nowMs), facts: { backup: id } }),
  );
}

function recoveryPoints({ ages }: ProtectionSeen, { rpoMs }: AlertRules, nowMs: number): Alert[] {
  if (rpoMs === null) return [];
  return (['postgres', 'redis'] as const).flatMap((component) => {
    const age = ages[component] ?? null;
    if (age === null || age <= rpoMs) return [];
    const summary = `${describeDuration(age)} of ${component} would be lost now; the objective is ${describeDuration(rpoMs)}`;
    const facts = { component, objectiveMs: String(rpoMs) };
    return [makeAlert('recovery-point-old', component, { summary, since: isoOf(nowMs - age + rpoMs), facts })];
  });
}

function judgeJournal(journal: JournalSeen, rules: AlertRules, nowMs: number): Alert[] {
  const { kind, state, reason, openGap, damagedFiles } = journal;
  const since = isoOf(nowMs);
  const facts = { journal: kind };
  return [
    ...(state === 'stopped' || (state === 'alarm' && openGap === null)
      ? [
          makeAlert('journal-stopped', kind, {
            summary: `the journal of ${kind} is in ${state}: ${reason ?? ''}`,
            since,
            facts,
          }),
        ]
      : []),
    ...(openGap === null
      ? []
      : [
          makeAlert('journal-gap', kind, {
            summary: `nothing of ${kind} after ${openGap.from} can be restored: ${openGap.message}`,
            since: openGap.from,
            facts,
          }),
        ]),
    ...(damagedFiles === 0
      ? []
      : [
          makeAlert('backup-damaged', `journal-${kind}`, {
            summary: `${damagedFiles} files of the journal of ${kind} are damaged or missing`,
            since,
            facts,
          }),
        ]),
    ...lag(journal, rules, nowMs),
    ...slot(journal, rules, nowMs),
  ];
}

function lag({ kind, state, lagSeconds, flushSeconds }: JournalSeen, rules: AlertRules, nowMs: number): Alert[] {
  // One that is in alarm has an alert that says so.
  if (lagSeconds === null || state === 'disabled' || state === 'stopped' || state === 'alarm') return [];
  const lagMs = lagSeconds * 1_000;
  // What may be that late by the configuration is not late.
  const allowedMs = Math.max(rules.journalLagMs, 2 * flushSeconds * 1_000);
  if (lagMs <= allowedMs) return [];
  const summary = `nothing new of ${kind} is durable for ${describeDuration(lagMs)}; ${describeDuration(allowedMs)} are allowed`;
  return [
    makeAlert('journal-lag', kind, { summary, since: isoOf(nowMs - lagMs + allowedMs), facts: { journal: kind } }),
  ];
}

function slot({ kind, slot: held }: JournalSeen, { slotWalBytes }: AlertRules, nowMs: number): Alert[] {
  if (held === null) return [];
  const { name, walStatus, retainedBytes, safeWalBytes } = held;
  const isNearlyLost = walStatus === 'unreserved' || walStatus === 'lost' || isShort(retainedBytes, safeWalBytes);
  if (!isNearlyLost && retainedBytes <= slotWalBytes) return [];
  const left = safeWalBytes === null ? '' : `, ${safeWalBytes} bytes until it is lost`;
  const summary = `slot ${name} keeps ${retainedBytes} bytes of WAL on the server${left}`;
  const facts = { slot: name, journal: kind, ...(walStatus === null ? {} : { walStatus }) };
  const severity = isNearlyLost ? 'critical' : 'warning';
  return [makeAlert('slot-retains-wal', name, { summary, since: isoOf(nowMs), facts, severity })];
}

function isShort(retainedBytes: number, safeWalBytes: number | null): boolean {
  return safeWalBytes !== null && safeWalBytes < SLOT_ROOM * (retainedBytes + safeWalBytes);
}
