import * as fc from 'fast-check';
import type { ActiveAlert, Alert } from '../../../src/domain/alerts/alert.ts';
import { ALERT_KINDS, type AlertArea, type AlertKind } from '../../../src/domain/alerts/alert-kinds.ts';
import type { TellingRules } from '../../../src/domain/alerts/alert-facts.ts';
import { makeAlert } from '../../../src/domain/alerts/make-alert.ts';
import { nextNotifications } from '../../../src/domain/alerts/next-notifications.ts';
import { runs } from '../../support/property-runs.ts';

const START = Date.parse('2026-03-04T05:06:07.000Z');
const HOUR = 3_600_000;
const RULES: TellingRules = {
  remindEveryMs: HOUR,
  reminders: 3,
  quiet: [],
  channels: [
    { name: 'ops', events: ['failure', 'storage', 'recovery', 'lag', 'drill', 'plan', 'success'] },
    { name: 'disk', events: ['storage'] },
  ],
};
const about = (kind: AlertKind, more: Partial<Alert> = {}): Alert => ({
  ...makeAlert(kind, 'it', { summary: 'it is so', since: new Date(START).toISOString() }),
  ...more,
});

/** Goes through looks at given times; gives `time: channel state`, times in units of `stepMs`. */
function tell(
  looks: readonly (readonly [afterMs: number, alerts: readonly Alert[], unseen?: readonly AlertArea[]])[],
  rules = RULES,
): { readonly told: string[]; readonly ids: string[]; readonly active: readonly ActiveAlert[] } {
  let active: readonly ActiveAlert[] = [];
  const told: string[] = [];
  const ids: string[] = [];
  for (const [afterMs, alerts, unseen = []] of looks) {
    const next = nextNotifications(active, { alerts, unseen }, rules, { group: 'g', nowMs: START + afterMs });
    ({ active } = next);
    for (const { channel, notice } of next.deliveries) {
      told.push(
        `${afterMs / HOUR}: ${channel} ${notice.state}${notice.state === 'fire' ? ` ${notice.alert.severity}` : ''}`,
      );
      ids.push(`${channel} ${notice.id}`);
    }
  }
  return { told, ids, active };
}

test('an alert is told once, and once that it is over', () => {
  const alert = about('operation-failed');
  const { told, active } = tell([
    [0, [alert]],
    [1_000, [alert]],
    [2_000, [alert]],
    [HOUR / 2, []],
    [HOUR, []],
  ]);
  expect(told).toEqual(['0: ops fire critical', '0.5: ops resolve']);
  expect(active).toEqual([]);
});

test('reminders come with growing pauses, a bounded number of times', () => {
  const alert = about('operation-failed');
  const hours = Array.from({ length: 40 }, (_, hour) => [hour * HOUR, [alert]] as const);
  expect(tell(hours).told).toEqual(['0: ops fire critical', '1: ops remind', '3: ops remind', '7: ops remind']);
});

test('what passes by itself wakes nobody, and what lasts is told as soon as it has', () => {
  const alert = about('repository-unreachable');
  const { patienceMs } = ALERT_KINDS['repository-unreachable'];
  expect(
    tell([
      [0, [alert]],
      [patienceMs - 1, [alert]],
      [patienceMs, []],
    ]).told,
  ).toEqual([]);
  const lasting = tell([
    [0, [alert]],
    [patienceMs, [alert]],
  ]).told;
  expect(lasting.map((line) => line.split(': ')[1])).toEqual(['ops fire critical', 'disk fire critical']);
});

test('what gets worse is told again, what gets better is not', () => {
  const warning = about('storage-low', { severity: 'warning' });
  const critical = about('storage-low');
  const { told, ids } = tell(
    [
      [0, [warning]],
      [HOUR / 4, [critical]],
      [HOUR / 2, [warning]],
      [HOUR, []],
    ],
    { ...RULES, remindEveryMs: 10 * HOUR, channels: [{ name: 'disk', events: ['storage'] }] },
  );
  expect(told).toEqual(['0: disk fire warning', '0.25: disk fire critical', '1: disk resolve']);
  expect(new Set(ids).size).toBe(3);
});

test('nothing is over that could not be seen', () => {
  const alert = about('operation-failed');
  expect(
    tell([
      [0, [alert]],
      [HOUR / 4, [], ['runs']],
      [HOUR / 2, [], ['runs']],
      [HOUR, []],
    ]).told,
  ).toEqual(['0: ops fire critical', '1: ops resolve']);
});

test('what was over before it was found is told once; what was known ends with the words of its end', () => {
  const running = about('recovery-running');
  const over = about('recovery-running', { summary: 'restore has ended', isOver: true });
  expect(
    tell([
      [0, [over]],
      [1_000, []],
    ]).told,
  ).toEqual(['0: ops pass']);
  const rules = { ...RULES, channels: [{ name: 'ops', events: ['recovery'] }] };
  const first = nextNotifications([], { alerts: [running], unseen: [] }, rules, { group: 'g', nowMs: START });
  const last = nextNotifications(first.active, { alerts: [over], unseen: [] }, rules, { group: 'g', nowMs: START + 1 });
  expect(last.active).toEqual([]);
  expect(last.deliveries.map(({ notice }) => [notice.state, notice.alert.summary])).toEqual([
    ['resolve', 'restore has ended'],
  ]);
  expect(last.deliveries[0]?.notice.occurrence).toBe(first.deliveries[0]?.notice.occurrence);
});

test('a quiet kind is active and not told', () => {
  const { told, active } = tell([[0, [about('drill-overdue')]]], { ...RULES, quiet: ['drill-overdue'] });
  expect({ told, active: active.map(({ key }) => key) }).toEqual({ told: [], active: ['drill-overdue/it'] });
});

test('whatever is found in whatever order, fires and ends alternate, and no id comes twice', () => {
  const kinds = Object.keys(ALERT_KINDS) as AlertKind[];
  const look = fc.tuple(fc.integer({ min: 1, max: 3 * HOUR }), fc.subarray(kinds.slice(0, 8)));
  fc.assert(
    fc.property(fc.array(look, { maxLength: 40 }), (steps) => {
      let at = 0;
      const looks = steps.map(([step, found]) => [(at += step), found.map((kind) => about(kind))] as const);
      const { ids } = tell(looks);
      expect(new Set(ids).size).toBe(ids.length);
      const byKey = Map.groupBy(ids, (id) => id.replace(/@.*/, ''));
      for (const all of byKey.values()) {
        const ends = all.map((id) => id.includes('/resolve')).filter((isEnd, index, list) => isEnd !== list[index - 1]);
        expect(ends.every((isEnd, index) => isEnd === (index % 2 === 1))).toBe(true);
      }
    }),
    { numRuns: runs(300) },
  );
});
