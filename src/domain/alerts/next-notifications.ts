import type { ActiveAlert, Alert, Notice } from './alert.ts';
import { isAtLeast } from './alert-terms.ts';
import type { TellingRules } from './alert-facts.ts';
import { ALERT_KINDS } from './alert-kinds.ts';
import type { Judgement } from './alerts-for.ts';
import { isoOf } from './make-alert.ts';

/** A notice for one channel. */
export interface Delivery {
  readonly channel: string;
  readonly notice: Notice;
}

export interface NextNotifications {
  readonly active: readonly ActiveAlert[];
  readonly deliveries: readonly Delivery[];
}

interface Moment {
  readonly group: string;
  readonly nowMs: number;
}

/**
 * What people are told after a look: what is new, once it has lasted; what got worse; what still is, a bounded number of times with growing pauses; and what is over.
 * Nothing is over that could not be seen.
 */
export function nextNotifications(
  previous: readonly ActiveAlert[],
  { alerts, unseen }: Judgement,
  rules: TellingRules,
  moment: Moment,
): NextNotifications {
  const before = new Map(previous.map((alert) => [alert.key, alert]));
  const lasting = alerts.filter(({ isOver }) => isOver === undefined);
  const steps = lasting.map((alert) => goOn(before.get(alert.key), alert, rules, moment));
  const found = new Set(lasting.map(({ key }) => key));
  const gone = previous.filter(({ key }) => !found.has(key));
  const kept = gone.filter(({ kind }) => unseen.includes(ALERT_KINDS[kind].area));
  const ended = gone.filter(({ kind }) => !unseen.includes(ALERT_KINDS[kind].area));
  const over = alerts.filter(({ isOver }) => isOver === true);
  const notices = [
    ...steps.flatMap(({ notice }) => notice ?? []),
    ...ended.flatMap((alert) => resolve(alert, over, moment)),
    ...over.filter(({ key }) => !before.has(key)).map((alert) => pass(alert, moment)),
  ];
  return {
    active: [...steps.map(({ alert }) => alert), ...kept],
    deliveries: notices.flatMap((one) => address(one, rules)),
  };
}

interface Step {
  readonly alert: ActiveAlert;
  readonly notice: Notice | null;
}

function goOn(before: ActiveAlert | undefined, alert: Alert, rules: TellingRules, moment: Moment): Step {
  const now = isoOf(moment.nowMs);
  const first = { firedAt: null, lastToldAt: null, reminders: 0, foundAt: now };
  // The beginning of what lasts is when it was first seen: later looks only know that it still is.
  const since = before === undefined ? alert.since : earlier(before.since, alert.since);
  const known: ActiveAlert = { ...first, ...before, ...alert, since };
  if (known.firedAt === null) {
    const { patienceMs } = ALERT_KINDS[alert.kind];
    if (moment.nowMs - Date.parse(known.foundAt) < patienceMs) return { alert: known, notice: null };
    return { alert: { ...known, firedAt: now, lastToldAt: now }, notice: noticeOf('fire', known, moment) };
  }
  if (before !== undefined && !isAtLeast(before.severity, alert.severity)) {
    return { alert: { ...known, lastToldAt: now, reminders: 0 }, notice: noticeOf('fire', known, moment) };
  }
  if (!isReminderDue(known, rules, moment)) return { alert: known, notice: null };
  const reminded = { ...known, lastToldAt: now, reminders: known.reminders + 1 };
  return { alert: reminded, notice: noticeOf('remind', reminded, moment) };
}

const earlier = (left: string, right: string): string => (Date.parse(left) < Date.parse(right) ? left : right);

/** Each pause is twice as long as the one before. */
function isReminderDue(
  { severity, lastToldAt, reminders }: ActiveAlert,
  rules: TellingRules,
  { nowMs }: Moment,
): boolean {
  if (severity === 'info' || lastToldAt === null || reminders >= rules.reminders) return false;
  return nowMs - Date.parse(lastToldAt) >= rules.remindEveryMs * 2 ** reminders;
}

/** What nobody was told of needs no end. */
function resolve(alert: ActiveAlert, over: readonly Alert[], moment: Moment): Notice[] {
  if (alert.firedAt === null) return [];
  const end = over.find(({ key }) => key === alert.key);
  const last = end === undefined ? alert : { ...alert, summary: end.summary, facts: end.facts };
  return [noticeOf('resolve', last, moment)];
}

function pass(alert: Alert, moment: Moment): Notice {
  return noticeOf('pass', { ...alert, foundAt: isoOf(moment.nowMs), reminders: 0 }, moment);
}

function noticeOf(
  state: Notice['state'],
  alert: Alert & Pick<ActiveAlert, 'foundAt' | 'reminders'>,
  { group, nowMs }: Moment,
): Notice {
  const { key, kind, severity, summary, hint, facts, since, foundAt, reminders } = alert;
  const occurrence = `${group}/${key}@${foundAt}`;
  const times = state === 'fire' ? severity : state === 'remind' ? `${reminders}` : '';
  return {
    id: [occurrence, state, times].filter(Boolean).join('/'),
    state,
    at: isoOf(nowMs),
    group,
    occurrence,
    alert: { key, kind, severity, summary, hint, facts, since },
  };
}

function address(notice: Notice, { quiet, channels }: TellingRules): Delivery[] {
  const { kind } = notice.alert;
  if (quiet.includes(kind)) return [];
  const { event } = ALERT_KINDS[kind];
  return channels.filter(({ events }) => events.includes(event)).map(({ name: channel }) => ({ channel, notice }));
}
