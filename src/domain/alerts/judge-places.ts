import { describeDuration } from '../drill/describe-duration.ts';
import { isFailing, type TargetFacts } from '../target-facts.ts';
import type { Alert } from './alert.ts';
import type { AlertFacts, AlertRules, SilentServer, SpaceSeen } from './alert-facts.ts';
import { isoOf, makeAlert } from './make-alert.ts';

export function judgeRepository({ problem }: NonNullable<AlertFacts['repository']>, nowMs: number): Alert[] {
  if (problem === null) return [];
  const summary = `the repository cannot be read: ${problem.message}`;
  return [
    makeAlert('repository-unreachable', 'repository', { summary, since: isoOf(nowMs), facts: { code: problem.code } }),
  ];
}

export function judgeServers(silent: readonly SilentServer[], nowMs: number): Alert[] {
  return silent.map(({ kind, code, message }) => {
    const summary = `${kind} does not answer: ${message}`;
    return makeAlert('database-unreachable', kind, { summary, since: isoOf(nowMs), facts: { server: kind, code } });
  });
}

/** Room for backups. Two limits, one alert: it gets worse, and better, under one key. */
export function judgeSpace(spaces: readonly SpaceSeen[], { freeSpace }: AlertRules, nowMs: number): Alert[] {
  return spaces.flatMap(({ place, location, freeBytes, totalBytes }) => {
    const percent = totalBytes === 0 ? 100 : (100 * freeBytes) / totalBytes;
    if (percent >= freeSpace.warning) return [];
    const severity = percent < freeSpace.critical ? 'critical' : 'warning';
    const summary = `${place}: ${percent.toFixed(1)} % of ${location} are free, ${freeBytes} bytes`;
    const facts = { place, location, freeBytes: String(freeBytes) };
    return [makeAlert('storage-low', place, { summary, since: isoOf(nowMs), facts, severity })];
  });
}

export function judgeTargets(targets: readonly TargetFacts[], rules: AlertRules, nowMs: number): Alert[] {
  return targets.flatMap((target) => {
    const { name, state, lastError, location } = target;
    const facts = { target: name, location };
    // Of the repository itself, which has an alert of its own.
    if (state === 'unknown') return [];
    if (isFailing(state)) {
      const summary = `target ${name} is ${state}: ${lastError ?? ''}`;
      return [makeAlert('target-failing', name, { summary, since: isoOf(nowMs), facts })];
    }
    const lagMs = 1_000 * Math.max(target.lagSeconds ?? 0, target.journals?.lagSeconds ?? 0);
    if (lagMs <= rules.replicationLagMs) return [];
    const summary = `target ${name} is ${describeDuration(lagMs)} behind, ${target.pending ?? 0} backups are missing there`;
    return [
      makeAlert('replication-lag', name, { summary, since: isoOf(nowMs - lagMs + rules.replicationLagMs), facts }),
    ];
  });
}
