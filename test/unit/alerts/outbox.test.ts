import type { Notice } from '../../../src/domain/alerts/alert.ts';
import { makeAlert } from '../../../src/domain/alerts/make-alert.ts';
import {
  delivered,
  EMPTY_OUTBOX,
  enqueue,
  type Outbox,
  undelivered,
  waitMs,
} from '../../../src/domain/alerts/outbox.ts';

const START = Date.parse('2026-03-04T05:06:07.000Z');
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const notice = (subject: string, state: Notice['state'] = 'fire', atMs = START): Notice => ({
  id: `${subject}/${state}`,
  state,
  at: new Date(atMs).toISOString(),
  group: 'g',
  occurrence: subject,
  alert: makeAlert('operation-failed', subject, { summary: 's', since: new Date(atMs).toISOString() }),
});
const put = (box: Outbox, ...notices: readonly Notice[]): Outbox =>
  enqueue(
    { ops: box },
    notices.map((one) => ({ channel: 'ops', notice: one })),
  )['ops'] ?? EMPTY_OUTBOX;
const ids = ({ notices }: Outbox): string[] => notices.map(({ id }) => id);

/** Tries at every time that it allows, from the start on, until it is told or given up. */
function tryUntil(isBackMs: number): { readonly tries: number[]; readonly box: Outbox } {
  let box = put(EMPTY_OUTBOX, notice('full'));
  const tries: number[] = [];
  for (let now = START; ;) {
    const wait = waitMs(box, now);
    if (wait === null) return { tries, box };
    now += wait;
    tries.push(now - START);
    const [first] = box.notices as [Notice];
    box =
      now >= isBackMs
        ? delivered(box, first)
        : undelivered(box, first, { error: 'refused', isFinal: false, nowMs: now });
  }
}

test('a channel that is away for a day is asked every ten minutes at least, and told when it is back', () => {
  const { tries, box } = tryUntil(START + DAY);
  const pauses = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
  expect(pauses.slice(0, 4)).toEqual([2_000, 4_000, 8_000, 16_000]);
  expect(Math.max(...pauses)).toBe(10 * MINUTE);
  expect(tries.length).toBeLessThan(170);
  expect(tries.at(-1)).toBeLessThan(DAY + 10 * MINUTE);
  expect(box).toEqual(EMPTY_OUTBOX);
});

test('a channel that is away for good is given up after three days, and that is said', () => {
  const { tries, box } = tryUntil(Number.POSITIVE_INFINITY);
  expect(tries.at(-1)).toBeGreaterThan(3 * DAY);
  expect(tries.at(-1)).toBeLessThan(3 * DAY + 11 * MINUTE);
  expect(box).toMatchObject({ notices: [], dropped: 1, lastError: 'refused' });
});

test('of each alert the newest counts, in the order in which they came', () => {
  const box = put(EMPTY_OUTBOX, notice('full'), notice('copy'), notice('full', 'resolve'));
  expect(ids(box)).toEqual(['copy/fire', 'full/resolve']);
});

test('what came while a message was on its way stays', () => {
  const box = put(put(EMPTY_OUTBOX, notice('full')), notice('full', 'resolve'));
  expect(ids(delivered(box, notice('full')))).toEqual(['full/resolve']);
});

test('what will never be taken is given up at once, and the next one comes', () => {
  const box = put(EMPTY_OUTBOX, notice('full'), notice('copy'));
  const failed = undelivered(box, notice('full'), { error: 'gone', isFinal: true, nowMs: START });
  expect({ ids: ids(failed), dropped: failed.dropped }).toEqual({ ids: ['copy/fire'], dropped: 1 });
});

test('a channel that hears nothing for long keeps the newest fifty, and counts the others', () => {
  const box = put(EMPTY_OUTBOX, ...Array.from({ length: 60 }, (_, index) => notice(`copy-${index}`)));
  expect([box.notices.length, box.dropped, ids(box)[0]]).toEqual([50, 10, 'copy-10/fire']);
});
